// The world of a client in tests: a clock, a service and a provider of tokens that follow a
// script.
import assert from 'node:assert/strict';

// Clock has timers that fire when the script says so.
class Clock {
  now = Date.UTC(2026, 0, 1);
  #timers = new Map();
  #last = 0;

  set(f, wait) {
    assert.ok(wait >= 0 && wait < 2 ** 31, 'a timer cannot wait longer');
    this.#timers.set(++this.#last, { f, at: this.now + wait });
    return this.#last;
  }

  clear(timer) {
    this.#timers.delete(timer);
  }

  async pass(ms) {
    const end = this.now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!next) break;
      const [id, { f, at }] = next;
      this.#timers.delete(id);
      this.now = at;
      f();
      await quiet();
    }
    this.now = end;
  }
}

// quiet waits until promises have nothing more to do.
export const quiet = () => new Promise(setImmediate);

export class Script {
  clock = new Clock();
  dials = []; // sockets that wait for their handshake
  socket; // the latest
  seen = []; // by the user
  told = [];
  results = {}; // of what the user does
  refs = {};
  tokens = {}; // by their names
  #names; // of tokens to hand out

  constructor({ tokens = [], random = 0.5 }) {
    this.#names = tokens.map(([name]) => name);
    for (const [name, life] of tokens) this.tokens[name] = this.#token(name, life);
    const script = this;
    this.parts = {
      WebSocket: class extends ScriptedSocket {
        constructor(url, protocols) {
          super(protocols);
          script.dials.push(this);
        }
      },
      setTimeout: (f, wait) => this.clock.set(f, wait),
      clearTimeout: (timer) => this.clock.clear(timer),
      now: () => this.clock.now,
      random: () => random,
    };
  }

  #token(name, life) {
    if (life === null) return name;
    const claims = JSON.stringify({ sub: name, exp: Math.floor(this.clock.now / 1000) + life });
    return `e30.${Buffer.from(claims).toString('base64url')}.x`;
  }

  // token hands out the next one. An empty name stands for a failure.
  async token() {
    assert.ok(this.#names.length > 0, 'the client asks for one token too many');
    const name = this.#names.shift();
    if (!name) throw Object.assign(new Error('no token'), { code: 'no_token' });
    return this.tokens[name];
  }

  see({ channel, message, lost }) {
    this.seen.push(`${channel} ${lost ? `lost ${lost}` : message.id}`);
  }

  // dialed returns the socket that the client opens, with the token of that name.
  dialed(name) {
    assert.ok(this.dials.length > 0, 'the client does not connect');
    const socket = this.dials.shift();
    assert.deepEqual(socket.protocols, name ? ['bearer', this.tokens[name]] : []);
    return socket;
  }

  // nothingElse checks that the client has done nothing that no step has mentioned.
  nothingElse() {
    const { dials, socket, seen, results } = this;
    const { written = [], closed = false } = socket ?? {};
    assert.deepEqual({ dials: dials.length, written, closed, seen, results },
      { dials: 0, written: [], closed: false, seen: [], results: {} });
  }
}

// ScriptedSocket is a connection to the script.
class ScriptedSocket {
  written = [];
  closed = false; // by the client

  constructor(protocols) {
    this.protocols = protocols;
  }

  send(text) {
    this.written.push(JSON.parse(text));
  }

  close(code) {
    assert.equal(code, 1000);
    this.closed = true;
  }
}
