/** Where to connect and who gets the messages. */
export interface Options {
  /** ws://… or wss://… */
  url: string;
  /**
   * Returns a token of the user. It is called to connect, before the token expires, and
   * after the service may have refused one. If it takes longer than the timeout, it is
   * called again later, and its answer does not count. It may call the client's methods.
   * Without it the client does not sign in.
   */
  token?: () => Promise<string> | string;
  /** Rooms to join from the beginning. */
  rooms?: string[];
  /**
   * Gets the messages of each channel in order, and word of lost ones. It is called for one
   * after the other as they come: what it starts and does not finish is not waited for.
   */
  onMessage: (event: Event) => void;
  /**
   * Is told what goes wrong: connections that end or fail, a room or a token that is
   * refused. The client goes on.
   */
  onError?: (error: Error & { code?: string }) => void;
  /** How many messages can wait to be sent or answered; 100. */
  maxSends?: number;
  /** Milliseconds for the answer to a request, and for a handshake; 30 000, at most 600 000. */
  timeout?: number;
}

/** A message, or word that some are missing between the one before in the channel and the next. */
export type Event =
  | { channel: string; message: Message; lost?: undefined }
  | { channel: string; message?: undefined; lost: Loss };

/** Why messages are lost: the log has started over, or does not keep them any more. */
export type Loss = 'reset' | 'expired';

export interface Message {
  id: string;
  content: unknown;
  /** ISO 8601, in UTC. */
  sentAt: string;
  /** The verified user; absent if not signed in. */
  sender?: string;
  /** The user of a message to one user. */
  to?: string;
  /** The number in the channel's log; absent if the service keeps no messages. */
  seq?: number;
}

/** A message to send: to everyone, or to a user or a room. */
export interface Outgoing {
  content: unknown;
  to?: string;
  room?: string;
  /**
   * Names the message, to send it again later: 1 to 128 bytes of UTF-8 without U+FFFD, which
   * no other message of the user has within 15 minutes. Make it random, and keep it with the
   * message. By default the client makes one.
   */
  ref?: string;
  /**
   * Says that the message was sent before under this ref, and may have been accepted. A
   * service with history delivers it once if that was within 15 minutes. One without history
   * refuses it as "no_history", and from a client without a token as "unauthenticated".
   */
  again?: boolean;
}

export interface Client {
  /**
   * Sends a message, and resolves to its id once the service has accepted it. It waits for a
   * connection if there is none. If the connection ends before the answer, a client with a
   * token sends the message again, and a service with history delivers it once; the id may
   * then be one that never arrives. When it rejects with the code "unanswered" or
   * "unavailable", the message may have been accepted: send it with the same ref and again.
   * Otherwise it was not, but with again that says nothing of tries before. The content
   * becomes JSON at once; if it cannot, that is a TypeError.
   */
  send(message: Outgoing): Promise<string>;
  /**
   * Joins a room, now and after each reconnect. Resolves when the service has answered. When
   * it rejects with the code "unauthenticated" and there is a token, the client tries again
   * after each reconnect, until leave.
   */
  join(room: string): Promise<void>;
  /** Leaves a room. */
  leave(room: string): Promise<void>;
  /** Ends the connection for good. What waits rejects with the code "closed" or "unanswered". */
  close(): void;
}

/**
 * Connects, and again whenever the connection has ended, until close. In parts, tests can
 * replace what the client has of the world.
 */
export function connect(options: Options, parts?: Partial<Parts>): Client;

export interface Parts {
  WebSocket: new (url: string, protocols: string[]) => Socket;
  setTimeout: (f: () => void, ms: number) => unknown;
  clearTimeout: (timer: any) => void;
  /** Milliseconds since 1970. */
  now: () => number;
  /** 0 to 1. */
  random: () => number;
  /** Tells of "online". */
  page: Partial<Target>;
  /** Tells of "visibilitychange". */
  document: Target & { visibilityState: string };
}

/** What the client needs of a WebSocket. */
export interface Socket {
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  send(text: string): void;
  close(code: number): void;
}

/** What the client needs of a target of events. */
export interface Target {
  addEventListener(type: string, f: () => void): void;
  removeEventListener(type: string, f: () => void): void;
}

/**
 * An error with one of the service's codes, or full, not_sent, unanswered, closed,
 * too_large or ref_in_use. Its message begins with the code.
 */
export class ClientError extends Error {
  constructor(code: string, message?: string, retryAfter?: number);
  name: 'ClientError';
  code: string;
  /**
   * How many seconds to wait before the request is made again, with the code "unavailable".
   * For its own requests, the client does so.
   */
  retryAfter?: number;
}

/** What the service says of a channel when a client resumes. */
export interface Answer {
  recovered?: boolean;
  reason?: Loss;
  position: string;
  end?: string;
  more?: boolean;
  messages?: Message[];
  error?: { code: string; message: string };
}

/** Puts what a client receives into the order of its channels. It neither sends nor waits. */
export class Inbox {
  receive(frame: { messages: Message[]; channel?: string; epoch?: string }): Event[];
  positions(): Record<string, string>;
  resumed(answers: Record<string, Answer>): { events: Event[]; more: boolean };
  joining(room: string): void;
  joined(room: string, position?: string): { events: Event[]; resume: boolean };
  left(room: string): void;
  disconnected(): void;
  missing(): boolean;
}
