// A client of the service for browsers and for Node 22 and later: see ../README.md.
import { ClientError } from './error.js';
import { Inbox } from './inbox.js';
import { Rooms, temporary } from './rooms.js';
import { expiry, refusesToken } from './token.js';

export { ClientError, Inbox };

const second = 1_000;
const minute = 60 * second;
const backoffBase = 500;
const backoffCap = 30 * second;
const maxPause = 5 * minute;
const renewBefore = minute; // a token expires
const renewAgain = 10 * second; // after a try
const longest = 24 * 60 * minute; // for a timer, which cannot wait for more than 24 days
const maxFrame = 32 << 10; // bytes that the service takes, and a WebSocket does not split

// What a client has of the world. Tests have their own.
const world = {
  WebSocket: globalThis.WebSocket,
  setTimeout: (f, ms) => setTimeout(f, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  now: () => Date.now(),
  random: () => Math.random(),
};

// connect returns a client that connects, and again whenever the connection has ended,
// until close.
export function connect(options, parts = {}) {
  return new Client(options, { ...world, ...parts });
}

class Client {
  #options;
  #world;
  #inbox = new Inbox();
  #rooms;
  #sends = []; // that wait for the connection
  #taken = 0; // of maxSends
  #link; // undefined between connections
  #token; // that the service has not refused; undefined: ask for one
  #tries = 0; // connections in a row without an answer
  #refs = 0;
  #retry; // the timer of the next connection
  #closed = false;

  constructor(options, parts) {
    this.#options = { maxSends: 100, timeout: 30 * second, onError() {}, rooms: [], ...options };
    this.#world = parts;
    this.#rooms = new Rooms(this.#options.rooms, this.#inbox, {
      open: () => !!this.#link?.open,
      ask: (request, done) => this.#ask(request, done),
      handOn: (events) => this.#handOn(events),
      fails: (error) => this.#tell(error),
      tryLater: () => { this.#link.failed = true; },
      answered: (resume) => this.#roomAnswered(resume),
    });
    this.#connect();
  }

  // send sends a message and resolves to its id once the service has accepted it. It waits
  // for a connection if there is none.
  send({ content, to, room }) {
    return new Promise((resolve, reject) => this.#enqueue({ action: 'sendMessage', content, to, room }, resolve, reject));
  }

  // join joins a room, now and after each reconnect. It resolves when the service has
  // answered.
  join(room) {
    return this.#closed ? Promise.reject(new ClientError('closed')) : this.#rooms.change(room, true);
  }

  // leave leaves a room. Nothing more of it is handed on, but for the rest of a frame.
  leave(room) {
    return this.#closed ? Promise.reject(new ClientError('closed')) : this.#rooms.change(room, false);
  }

  // close ends the connection for good.
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#world.clearTimeout(this.#retry);
    if (this.#link) this.#unlink();
    for (const send of this.#sends.splice(0)) send.finish(new ClientError('closed'));
    this.#rooms.close(new ClientError('closed'));
  }

  // --- connections

  async #connect() {
    const link = {
      open: false, live: false, answered: false, keeps: true, resuming: false, again: false, failed: false, repairs: 0,
      pending: new Map(), timers: {},
    };
    this.#link = link;
    const { token, url, timeout } = this.#options;
    this.#after('handshake', timeout, () => this.#cut(link, new Error('connect: no answer in time')));
    try {
      if (token && !this.#usable(this.#token)) this.#token = await token();
      if (this.#link !== link) return;
      link.socket = new this.#world.WebSocket(url, this.#token ? ['bearer', this.#token] : []);
    } catch (error) {
      return this.#cut(link, error);
    }
    link.socket.onopen = () => this.#link === link && this.#opened();
    link.socket.onmessage = ({ data }) => this.#link === link && this.#receive(this.#parse(data));
    link.socket.onclose = ({ code }) => this.#cut(link, new Error(`closed with ${code}`), code);
  }

  #opened() {
    this.#link.open = true;
    this.#clear('handshake');
    this.#renewLater();
    this.#rooms.settleAll();
    this.#begin();
  }

  // cut ends a connection, and connects again after a random time, of which the limit
  // doubles with each try. Why a handshake was refused is hidden: it may be the token.
  #cut(link, error, code) {
    if (this.#link !== link) return;
    if (!link.open || code === 1000 || code === 1008 || refusesToken(error)) this.#token = undefined;
    this.#unlink();
    this.#tell(error);
    const limit = Math.min(backoffCap, backoffBase * 2 ** this.#tries++);
    this.#retry = this.#world.setTimeout(() => this.#connect(), this.#world.random() * limit);
  }

  // unlink ends the connection, and tells those that wait for answers that none will come.
  #unlink() {
    const link = this.#link;
    for (const name of Object.keys(link.timers)) this.#clear(name);
    this.#link = undefined;
    for (const asked of link.pending.values()) {
      this.#world.clearTimeout(asked.timer);
      asked.send?.finish(new ClientError('unanswered', 'the message may have been accepted'));
    }
    link.socket?.close(1000);
    this.#rooms.disconnected();
  }

  // after sets a timer of the connection.
  #after(name, wait, f) {
    this.#clear(name);
    const { timers } = this.#link;
    timers[name] = this.#world.setTimeout(() => {
      delete timers[name];
      f();
    }, wait);
  }

  #clear(name) {
    this.#world.clearTimeout(this.#link.timers[name]);
    delete this.#link.timers[name];
  }

  // --- requests

  // ask sends a request. When no answer comes, the connection is dead.
  #ask(request, done, send) {
    const link = this.#link;
    const ref = String(++this.#refs);
    const timer = this.#world.setTimeout(
      () => this.#cut(link, new Error(`${request.action}: no answer in time`)), this.#options.timeout);
    link.pending.set(ref, { done, timer, send });
    link.socket.send(JSON.stringify({ ...request, ref }));
  }

  #parse(text) {
    try {
      return JSON.parse(text);
    } catch (error) {
      this.#tell(error);
      return {};
    }
  }

  #receive(frame) {
    if (frame.messages) {
      if (this.#rooms.wants(frame.channel)) this.#handOn(this.#inbox.receive(frame));
      this.#watch();
      return;
    }
    const { accepted, joined, left, authenticated, error } = frame;
    const ref = (accepted ?? joined ?? left ?? authenticated ?? error ?? frame).ref;
    const asked = this.#link.pending.get(ref);
    if (!asked) return;
    this.#link.pending.delete(ref);
    this.#world.clearTimeout(asked.timer);
    const refused = error && new ClientError(error.code, error.message);
    if (error?.code === 'unauthenticated' && this.#options.token && !asked.send && this.#link.answered) {
      this.#cut(this.#link, refused); // the token has expired; a new connection has a good one, or needs none
    } else {
      asked.done(frame, refused);
    }
  }

  // handOn gives events to the user: later, so that what the user does then finds the
  // client at rest.
  #handOn(events) {
    for (const event of events) {
      queueMicrotask(() => {
        try {
          if (!this.#closed) this.#options.onMessage(event);
        } catch (error) {
          this.#tell(error);
        }
      });
    }
  }

  #tell(error) {
    queueMicrotask(() => this.#options.onError(error));
  }

  // enqueue sends a message, now or when there is a connection.
  #enqueue(request, resolve, reject) {
    const refused = this.#refuses(request);
    if (refused) return void reject(refused);
    this.#taken++;
    const send = { request, sent: false };
    const timer = this.#world.setTimeout(() => this.#giveUp(send), this.#options.timeout);
    send.finish = (error, id) => {
      send.finish = () => {};
      this.#world.clearTimeout(timer);
      this.#taken--;
      if (error) reject(error);
      else resolve(id);
    };
    this.#sends.push(send);
    this.#flush();
  }

  #refuses(request) {
    if (this.#closed) return new ClientError('closed');
    if (this.#taken === this.#options.maxSends) return new ClientError('full', 'too many messages wait to be sent');
    const size = new TextEncoder().encode(JSON.stringify(request)).length + '"ref":"1234567890",'.length;
    return size > maxFrame && new ClientError('too_large', 'a message has at most 32 KiB');
  }

  // flush sends what waits. Before a resume, the client may not be in its rooms.
  #flush() {
    if (!this.#link?.live) return;
    for (const send of this.#sends.splice(0)) {
      send.sent = true;
      this.#ask(send.request, ({ accepted }, error) => send.finish(error, accepted?.id), send);
    }
  }

  // giveUp ends a send that has taken too long.
  #giveUp(send) {
    this.#sends = this.#sends.filter((other) => other !== send);
    send.finish(send.sent ? new ClientError('unanswered', 'the message may have been accepted') : new ClientError('not_sent'));
  }

  // --- what was missed

  // roomAnswered goes on after the answer to a request about a room.
  #roomAnswered(resume) {
    if (resume && this.#link.live && this.#link.keeps) this.#resume();
    this.#begin();
    this.#watch();
  }

  // begin resumes for the first time on a connection, unless rooms are still to be joined.
  #begin() {
    if (this.#link.live || this.#rooms.busy()) return;
    this.#link.live = true;
    this.#resume();
    this.#flush();
  }

  // resume asks for it. There is one such request at a time.
  #resume() {
    const link = this.#link;
    link.again = link.resuming;
    if (link.resuming) return;
    link.resuming = true;
    const positions = this.#inbox.positions();
    this.#ask({ action: 'resume', ...(Object.keys(positions).length > 0 && { positions }) },
      (frame, error) => this.#resumed(frame, error));
    // Long before the service closes an idle connection, this also brings a last message
    // that was lost.
    this.#after('keepAlive', 8 * minute + this.#world.random() * minute, () => this.#resume());
  }

  #resumed({ resumed }, error) {
    const link = this.#link;
    link.resuming = false;
    if (error) {
      this.#notResumed(error);
    } else {
      this.#answers(true);
      this.#take(resumed);
    }
    this.#watch();
  }

  // take takes the answers about channels, but not of rooms that were left meanwhile.
  #take(answers) {
    const wanted = Object.keys(answers).filter((name) => this.#rooms.wants(name)).sort();
    for (const name of wanted) this.#check(name, answers[name].error);
    const { events, more } = this.#inbox.resumed(Object.fromEntries(wanted.map((name) => [name, answers[name]])));
    this.#handOn(events);
    if (more || this.#link.again) this.#resume();
  }

  #answers(keeps) {
    this.#link.answered = true;
    this.#link.keeps = keeps;
    this.#tries = 0;
  }

  // notResumed takes the refusal of a resume. A service that keeps no messages sends live
  // ones.
  #notResumed(error) {
    if (error.code === 'no_history') {
      this.#answers(false);
    } else {
      this.#link.failed = true;
      this.#tell(error);
    }
  }

  // check looks whether a channel was refused.
  #check(channel, error) {
    const refused = error && new ClientError(error.code, error.message);
    if (channel.startsWith('room:')) this.#rooms.check(channel.slice('room:'.length), refused);
    else if (refused) this.#tell(refused);
  }

  // watch sees to it that the client resumes when something is missing for a while.
  #watch() {
    const link = this.#link;
    if (!link?.live || link.resuming) return;
    if (!link.failed && !(link.keeps && this.#inbox.missing())) {
      this.#clear('repair');
      link.repairs = 0;
    } else if (link.timers.repair === undefined) {
      const wait = (2 + 8 * this.#world.random()) * second * 2 ** link.repairs;
      this.#after('repair', Math.min(wait, maxPause), () => this.#tryAgain());
    }
  }

  // tryAgain makes the requests again that were not answered well, and resumes.
  #tryAgain() {
    this.#link.failed = false;
    this.#link.repairs++;
    this.#rooms.settleAll();
    this.#resume();
  }

  // --- tokens

  // usable reports whether a token lasts long enough to connect with it.
  #usable(token) {
    return token && expiry(token) - this.#world.now() > renewBefore;
  }

  // renewLater sends a new token before the client's own expires.
  #renewLater() {
    if (!this.#token) return;
    const wait = Math.max(expiry(this.#token) - this.#world.now() - renewBefore, renewAgain);
    if (wait > longest) this.#after('renewal', longest, () => this.#renewLater());
    else this.#after('renewal', wait, () => this.#renew());
  }

  async #renew() {
    const link = this.#link;
    let token, failed;
    try {
      token = await this.#options.token();
      if (token === this.#token) failed = new Error('no other token is there yet');
    } catch (error) {
      failed = error;
    }
    if (this.#link !== link) return;
    if (failed) return this.#notRenewed(failed);
    this.#ask({ action: 'authenticate', token }, (_, error) => {
      if (error) return temporary(error) ? this.#notRenewed(error) : this.#cut(link, error);
      this.#token = token;
      this.#renewLater();
    });
  }

  #notRenewed(error) {
    this.#tell(error);
    this.#after('renewal', renewAgain, () => this.#renew());
  }
}
