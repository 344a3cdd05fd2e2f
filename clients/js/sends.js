import { ClientError } from './error.js';

const maxFrame = 32 << 10; // bytes that the service takes, and a WebSocket does not split

// Sends are the messages that wait to be sent or answered. The host sends them.
export class Sends {
  #waiting = []; // for the connection
  #taken = 0; // of the maximum
  #host;

  constructor(host) {
    this.#host = host;
  }

  // add sends a message, now or when there is a connection. It resolves to the id.
  add({ content, to, room }) {
    return new Promise((resolve, reject) => {
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
    const size = new TextEncoder().encode(text).length + '"ref":"1234567890",'.length;
    return size > maxFrame && new ClientError('too_large', 'a message has at most 32 KiB');
  }

  #enqueue(text, resolve, reject) {
    this.#taken++;
    const send = { text, sent: false };
    const stop = this.#host.timer(() => this.#giveUp(send));
    send.finish = (error, id) => {
      send.finish = () => {};
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
      send.sent = true;
      this.#host.ask(send.text, ({ accepted }, error) => send.finish(error, accepted?.id), send);
    }
  }

  // giveUp ends a send that has taken too long.
  #giveUp(send) {
    this.#waiting = this.#waiting.filter((other) => other !== send);
    send.finish(send.sent ? unanswered() : new ClientError('not_sent'));
  }

  // close ends the sends that wait for a connection.
  close() {
    for (const send of this.#waiting.splice(0)) send.finish(new ClientError('closed'));
  }
}

// unanswered is the error of a message of which nobody knows whether it was accepted.
export const unanswered = () => new ClientError('unanswered', 'the message may have been accepted');
