import { ClientError } from './error.js';

const maxFrame = 32 << 10; // bytes that the service takes, and a WebSocket does not split
const maxRef = 40; // characters of a ref

// Sends are the messages that wait to be sent or answered. The host sends them.
export class Sends {
  #waiting = []; // for the connection
  #taken = 0; // of the maximum
  #host;

  constructor(host) {
    this.#host = host;
  }

  // add sends a message, now or when there is a connection. It resolves to the id.
  add(message) {
    const { content, to, room, ...others } = message;
    return new Promise((resolve, reject) => {
      if (isMisaddressed(message, others)) throw new TypeError('the message has no recipients that the client knows');
      if (JSON.stringify(content) === undefined) throw new TypeError('the content is not JSON');
      const text = JSON.stringify({ action: 'sendMessage', content, to, room });
      const refused = this.#refuses(text);
      if (refused) throw refused;
      this.#enqueue(text, resolve, reject);
    });
  }

  #refuses(text) {
    if (this.#host.closed()) return new ClientError('closed');
    if (this.#taken === this.#host.maxSends) return new ClientError('full', 'too many messages wait to be sent');
    const size = new TextEncoder().encode(text).length + ',"ref":"","again":true'.length + maxRef;
    return size > maxFrame && new ClientError('too_large', 'a message has at most 32 KiB');
  }

  #enqueue(text, resolve, reject) {
    this.#taken++;
    const send = {
      ref: undefined, again: false, over: false,
      frame: () => `${text.slice(0, -1)},"ref":"${send.ref}"${send.again ? ',"again":true' : ''}}`,
    };
    const stop = this.#host.timer(() => this.#giveUp(send));
    send.finish = (error, id) => {
      send.finish = () => {};
      send.over = true;
      stop();
      this.#taken--;
      if (error) reject(error);
      else resolve(id);
    };
    this.#waiting.push(send);
    this.flush();
  }

  // flush sends what waits. Before a resume, the client may not be in its rooms.
  flush() {
    if (!this.#host.live()) return;
    for (const send of this.#waiting.splice(0)) {
      send.ref ??= this.#host.newRef();
      // That a repeat is refused says nothing of the first try.
      this.#host.ask(send, ({ accepted }, error) => send.finish(error && send.again ? unanswered() : error, accepted?.id));
    }
  }

  // unanswered has messages whose connection has ended sent again on the next one, in their
  // order and before others, if the service knows that they are the same.
  unanswered(sends, keeps) {
    if (this.#host.hasToken && keeps) {
      const repeats = sends.filter(({ over }) => !over);
      for (const send of repeats) send.again = true;
      this.#waiting.unshift(...repeats);
    } else {
      for (const send of sends) send.finish(unanswered());
    }
  }

  // giveUp ends a send that has taken too long.
  #giveUp(send) {
    this.#waiting = this.#waiting.filter((other) => other !== send);
    send.finish(unsent(send, 'not_sent'));
  }

  // close ends the sends that wait for a connection.
  close() {
    for (const send of this.#waiting.splice(0)) send.finish(unsent(send, 'closed'));
  }
}

// isMisaddressed reports whether a message is meant for someone whom its frame would not
// name, because a member is misspelt or no JSON: without an address it is for everyone.
const isMisaddressed = (message, others) => Object.keys(others).length > 0
  || (('to' in message || 'room' in message) && JSON.stringify({ to: message.to, room: message.room }) === '{}');

// unsent is the error of a message that is not sent any more: with that code, if it never
// was.
const unsent = ({ ref }, code) => (ref === undefined ? new ClientError(code) : unanswered());

// unanswered is the error of a message of which nobody knows whether it was accepted.
const unanswered = () => new ClientError('unanswered', 'the message may have been accepted');
