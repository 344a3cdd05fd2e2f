import { ClientError } from './error.js';

const maxFrame = 32 << 10; // bytes that the service takes, and a WebSocket does not split
const maxRef = 128; // bytes that the service takes
const someRef = 'x'.repeat(40); // is as long as the client's own

const lengthOf = (text) => new TextEncoder().encode(text).length;

// Sends are the messages that wait to be sent or answered. The host sends them.
export class Sends {
  #waiting = []; // for the connection
  #taken = new Set(); // of the maximum: those that wait to be sent or answered
  #host;

  constructor(host) {
    this.#host = host;
  }

  // add sends a message, now or when there is a connection. It resolves to the id.
  add({ content, to, room, ref, again = false }) {
    return new Promise((resolve, reject) => {
      if (JSON.stringify(content) === undefined) throw new TypeError('the content is not JSON');
      const text = JSON.stringify({ action: 'sendMessage', content, to, room });
      const send = {
        ref, again,
        sent: false,
        repeat: false, // whether the client sends it once more itself
        over: false,
        frame: () => withRef(text, send.ref, send.again),
      };
      const refused = invalid(send) || this.#refuses(send, lengthOf(withRef(text, ref ?? someRef, true)));
      if (refused) throw refused;
      this.#enqueue(send, resolve, reject);
    });
  }

  #refuses({ ref }, size) {
    if (this.#host.closed()) return new ClientError('closed');
    if (ref !== undefined && [...this.#taken].some((other) => other.ref === ref)) {
      return new ClientError('ref_in_use', 'a message with this ref waits to be sent or answered');
    }
    if (this.#taken.size === this.#host.maxSends) return new ClientError('full', 'too many messages wait to be sent');
    return size > maxFrame && new ClientError('too_large', 'a message has at most 32 KiB');
  }

  #enqueue(send, resolve, reject) {
    this.#taken.add(send);
    const stop = this.#host.timer(() => this.#giveUp(send));
    send.finish = (error, id) => {
      send.finish = () => {};
      send.over = true;
      stop();
      this.#taken.delete(send);
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
      send.sent = true;
      this.#host.ask(send, ({ accepted }, error) => send.finish(error && refusal(send, error), accepted?.id));
    }
  }

  // unanswered has messages whose connection has ended sent again on the next one, in their
  // order and before others, if the service knows that they are the same.
  unanswered(sends, keeps) {
    if (this.#host.hasToken && keeps) {
      const repeats = sends.filter(({ over }) => !over);
      for (const send of repeats) send.again = send.repeat = true;
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

// withRef returns a frame of a message.
const withRef = (text, ref, again) => `${text.slice(0, -1)},"ref":${JSON.stringify(ref)}${again ? ',"again":true' : ''}}`;

// invalid returns what the service would have against the ref, if anything.
function invalid({ ref, again }) {
  if (typeof again !== 'boolean' || (again && ref === undefined)) {
    return new ClientError('invalid_again', 'a message that is sent again has the ref it had before');
  }
  return ref !== undefined && !isRef(ref) && new ClientError('invalid_ref', 'a ref has 1 to 128 bytes of UTF-8, without U+FFFD');
}

const isRef = (ref) => typeof ref === 'string' && ref !== '' && lengthOf(ref) <= maxRef && !/[\p{Surrogate}\uFFFD]/u.test(ref);

// refusal is the error of a message that was refused. That a repeat is refused says nothing
// of the first try.
const refusal = ({ repeat }, error) => (repeat && error.code !== 'unavailable' ? unanswered() : error);

// unsent is the error of a message that is not sent any more: with that code, if it never
// was.
const unsent = ({ sent }, code) => (sent ? unanswered() : new ClientError(code));

// unanswered is the error of a message of which nobody knows whether it was accepted.
const unanswered = () => new ClientError('unanswered', 'the message may have been accepted');
