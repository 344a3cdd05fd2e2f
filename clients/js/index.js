// A client of the service for browsers and for Node 22 and later: see ../README.md.
import { ClientError } from './error.js';
import { Inbox } from './inbox.js';
import { Rooms } from './rooms.js';
import { Sends } from './sends.js';
import { Token, later, refusesToken, retryAfter } from './token.js';
import { isAnswerTo, parse } from './valid.js';
import { onWake } from './wake.js';

export { ClientError, Inbox };

const second = 1_000;
const minute = 60 * second;
const backoffBase = 500;
const backoffCap = 30 * second;
const settled = 30 * second; // for a connection to live before the waits start over
const maxPause = 5 * minute;

// What a client has of the world. Tests have their own.
const world = {
  WebSocket: globalThis.WebSocket,
  setTimeout: (f, ms) => setTimeout(f, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  now: () => Date.now(),
  random: () => Math.random(),
  page: globalThis,
  document: globalThis.document,
};

// connect returns a client that connects, and again whenever the connection has ended,
// until close.
export function connect(options, parts = {}) {
  return new Client(options, { ...world, ...defined(parts) });
}

const randomTag = () => [...crypto.getRandomValues(new Uint32Array(3))].map((n) => n.toString(36)).join('');

// defined leaves out the options that are undefined: they mean the default.
const defined = (options) => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

class Client {
  #options;
  #world;
  #inbox = new Inbox();
  #rooms;
  #sends;
  #token;
  #link; // undefined between connections
  #tries = 0; // connections in a row that did not live long
  #doubted = false; // whether the last token was given up, and no resume was answered since
  #tag = randomTag(); // begins all refs
  #refs = 0;
  #retry; // the timer of the next connection
  #closed = false;
  #stopWaking;

  constructor(options, parts) {
    this.#options = { maxSends: 100, timeout: 30 * second, onError() {}, rooms: [], ...defined(options) };
    this.#world = parts;
    this.#rooms = new Rooms(this.#options.rooms, this.#inbox, this.#hostOfRooms());
    this.#sends = new Sends(this.#hostOfSends());
    this.#token = new Token(this.#options.token, this.#hostOfToken());
    this.#stopWaking = onWake(parts, () => this.#wake());
    this.#connect();
  }

  #hostOfRooms() {
    return {
      hasToken: !!this.#options.token,
      open: () => !!this.#link?.open,
      ask: (request, done) => this.#ask(request, done),
      handOn: (events) => this.#handOn(events),
      fails: (error) => this.#tell(error),
      tryLater: (error) => this.#tryLater(error),
      answered: (resume) => this.#roomAnswered(resume),
    };
  }

  #hostOfSends() {
    const { maxSends, timeout } = this.#options;
    return {
      maxSends,
      closed: () => this.#closed,
      live: () => !!this.#link?.live,
      hasToken: !!this.#options.token,
      newRef: () => this.#newRef(),
      ask: (send, done) => this.#askText('sendMessage', send.frame(), send.ref, done, send),
      timer: (f) => {
        const timer = this.#world.setTimeout(f, timeout);
        return () => this.#world.clearTimeout(timer);
      },
    };
  }

  #hostOfToken() {
    return {
      timeout: this.#options.timeout,
      now: () => this.#world.now(),
      link: () => this.#link,
      after: (wait, f) => this.#after('renewal', wait, f),
      clear: () => this.#clear('renewal'),
      ask: (request, done) => this.#ask(request, done),
      random: () => this.#world.random(),
      cut: (link, error) => this.#cut(link, error),
      fails: (error) => this.#tell(error),
    };
  }

  // send sends a message and resolves to its id once the service has accepted it. It waits
  // for a connection if there is none.
  send(message) {
    return this.#sends.add(message);
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
    this.#stopWaking();
    this.#world.clearTimeout(this.#retry);
    if (this.#link) this.#unlink();
    this.#sends.close();
    this.#rooms.close(new ClientError('closed'));
  }

  // --- connections

  async #connect() {
    const link = {
      open: false, live: false, answered: false, keeps: true, resuming: false, again: false, failed: false, repairs: 0,
      told: 0, // the least wait before the next repair, as the service wants it
      busy: false, // whether that goes for any resume
      pending: new Map(), timers: {},
    };
    this.#link = link;
    const { url, timeout } = this.#options;
    this.#after('handshake', timeout, () => this.#cut(link, new Error('connect: no answer in time')));
    try {
      const token = await this.#token.get(link);
      if (this.#link !== link) return;
      link.socket = new this.#world.WebSocket(url, token ? ['bearer', token] : []);
    } catch (error) {
      return this.#cut(link, error);
    }
    link.socket.onopen = () => this.#link === link && this.#opened();
    link.socket.onmessage = ({ data }) => this.#link === link && this.#receive(parse(data));
    link.socket.onclose = ({ code }) => this.#cut(link, new Error(`closed with ${code}`), code);
  }

  #opened() {
    this.#link.open = true;
    this.#clear('handshake');
    this.#token.renewLater();
    this.#rooms.settleAll();
    this.#begin();
  }

  // cut ends a connection, and connects again after a random time, of which the limit
  // doubles with each try. Why a handshake was refused is hidden: it may be the token.
  #cut(link, error, code) {
    if (this.#link !== link) return;
    if (!link.open || code === 1000 || code === 1008 || refusesToken(error)) this.#token.drop();
    this.#unlink();
    this.#tell(error);
    const limit = Math.min(backoffCap, backoffBase * 2 ** this.#tries++);
    this.#retry = this.#world.setTimeout(() => this.#connect(), this.#world.random() * limit);
  }

  // wake connects at once, or resumes, which shows whether the connection is dead.
  #wake() {
    if (!this.#link) {
      this.#world.clearTimeout(this.#retry);
      this.#connect();
    } else if (this.#link.live && !this.#link.resuming) {
      this.#resume();
    }
  }

  // unlink ends the connection, on which no answer will come.
  #unlink() {
    const link = this.#link;
    for (const name of Object.keys(link.timers)) this.#clear(name);
    this.#link = undefined;
    for (const { timer } of link.pending.values()) this.#world.clearTimeout(timer);
    this.#sends.unanswered([...link.pending.values()].flatMap(({ send }) => send ?? []), link.keeps);
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

  #ask(request, done) {
    const ref = this.#newRef();
    this.#askText(request.action, JSON.stringify({ ...request, ref }), ref, done);
  }

  // newRef returns a ref that no other device of the user has.
  #newRef() {
    return `${this.#tag}-${++this.#refs}`;
  }

  // askText sends a request. When no answer comes, the connection is dead. An answer to a
  // try under the same ref that was given up is one to this too.
  #askText(action, text, ref, done, send) {
    const link = this.#link;
    const timer = link.pending.get(ref)?.timer ?? this.#world.setTimeout(
      () => this.#cut(link, new Error(`${action}: no answer in time`)), this.#options.timeout);
    link.pending.set(ref, { action, done, timer, send });
    link.socket.send(text);
  }

  // receive takes a frame, or undefined if it is not understood.
  #receive(frame) {
    if (!frame) {
      this.#cut(this.#link, new Error('a frame is not understood'));
    } else if (frame.messages) {
      if (this.#rooms.wants(frame.channel)) this.#handOn(this.#inbox.receive(frame));
      this.#watch();
    } else {
      this.#answered(frame);
    }
  }

  #answered(frame) {
    const { accepted, joined, left, authenticated, error } = frame;
    const { ref } = accepted ?? joined ?? left ?? authenticated ?? error ?? frame;
    const asked = this.#link.pending.get(ref);
    if (!asked) return;
    if (!isAnswerTo(frame, asked.action)) {
      return this.#cut(this.#link, new Error(`${asked.action}: a frame is not understood`));
    }
    this.#link.pending.delete(ref);
    this.#world.clearTimeout(asked.timer);
    const link = this.#link;
    const refused = error && new ClientError(error.code, error.message, error.retryAfter);
    const over = refused && this.#tokenIsOver(asked.action, refused);
    if (asked.send || !over) asked.done(frame, refused);
    if (over) this.#cut(link, refused); // a new connection has a good token, or needs none
  }

  // tokenIsOver reports whether the client needs another token. A service without users
  // goes on to say so: only a resume it does not refuse.
  #tokenIsOver(action, { code }) {
    if (code !== 'unauthenticated' || !this.#options.token || (this.#doubted && action !== 'resume')) return false;
    this.#doubted = true;
    return true;
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
    this.#sends.flush();
  }

  // resume asks for it. There is one such request at a time.
  #resume() {
    const link = this.#link;
    link.again = link.resuming;
    if (link.resuming) return;
    if (link.busy) {
      link.failed = true; // a repair will
      return;
    }
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
    if (!this.#link.answered) this.#after('settled', settled, () => { this.#tries = 0; });
    this.#link.answered = true;
    this.#link.keeps = keeps;
    this.#doubted = false;
  }

  // notResumed takes the refusal of a resume. A service that keeps no messages sends live
  // ones.
  #notResumed(error) {
    if (error.code === 'no_history') {
      this.#answers(false);
    } else {
      this.#tryLater(error);
      this.#link.busy = retryAfter(error) > 0;
      this.#tell(error);
    }
  }

  // tryLater notes that a request failed, and how long the service wants to be left alone.
  #tryLater(error) {
    const link = this.#link;
    link.failed = true;
    const wait = retryAfter(error);
    if (wait <= link.told) return;
    link.told = wait;
    this.#clear('repair'); // it may be too early
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
      const pause = Math.min((2 + 8 * this.#world.random()) * second * 2 ** link.repairs, maxPause);
      this.#after('repair', Math.max(pause, later(link.told, this.#world.random())), () => this.#tryAgain());
    }
  }

  // tryAgain makes the requests again that were not answered well, and resumes.
  #tryAgain() {
    this.#link.failed = false;
    this.#link.told = 0;
    this.#link.busy = false;
    this.#link.repairs++;
    this.#rooms.settleAll();
    this.#resume();
  }
}
