// How many messages of a channel wait for others. More than that is dropped: the log has
// them.
const maxHeld = 10_000;
// How many ids of a channel are remembered. The service can number a message twice when a
// queue repeats it, but then soon.
const remembered = 1_000;

const parsePosition = (text) => {
  const dot = text.indexOf('.');
  return { epoch: text.slice(0, dot), seq: Number(text.slice(dot + 1)) };
};
const format = ({ epoch, seq }) => `${epoch}.${seq}`;
const byPosition = (a, b) => (a.epoch < b.epoch ? -1 : a.epoch > b.epoch ? 1 : a.seq - b.seq);

// Inbox puts what a client receives into the order of its channels: each message once, or
// an event that says that some are lost. It is the state machine of docs/protocol.md, and
// the same as clients/go/inbox.go. It neither sends nor waits.
export class Inbox {
  #channels = new Map();
  #left = new Set(); // rooms of which nothing is expected on this connection any more

  #channel(name) {
    if (!this.#channels.has(name)) this.#channels.set(name, new Channel(name));
    return this.#channels.get(name);
  }

  // receive takes a frame of messages and returns the events to hand on. Messages without a
  // number, of a service that keeps none, go on at once.
  receive({ messages, channel, epoch }) {
    if (this.#left.has(channel)) return [];
    const c = this.#channel(channel || 'everyone');
    return epoch ? c.receive(epoch, messages) : c.handOn(messages);
  }

  // positions returns what a resume tells the service. From now on nothing is handed on
  // until resumed: live messages may overtake the answer.
  positions() {
    const all = {};
    for (const [name, c] of this.#channels) {
      c.ask();
      if (c.known) all[name] = format(c.at);
    }
    return all;
  }

  // resumed takes the answer to a resume. With more, which comes, the next resume is due at
  // once. A channel that was refused waits: for the client to join the room again, or for
  // left.
  resumed(answers) {
    const events = [];
    let more = false;
    let moved = false;
    for (const name of Object.keys(answers).sort()) {
      const answer = answers[name];
      if (answer.error || this.#left.has(name)) continue;
      const c = this.#channel(name);
      const before = format(c.at);
      events.push(...c.resumed(answer));
      moved ||= format(c.at) !== before;
      more ||= !!answer.more;
    }
    return { events, more: more && moved };
  }

  // joining says that the client asks to join a room: its messages can come before the
  // answer.
  joining(room) {
    this.#left.delete(`room:${room}`);
  }

  // joined takes the position that the answer to joinRoom has: the room's messages are in
  // order from there. For a room that the client was in before, a resume is due instead.
  joined(room, position) {
    this.joining(room);
    const c = this.#channel(`room:${room}`);
    if (c.known || !position) return { events: [], resume: true };
    return { events: c.resumed({ position }), resume: false };
  }

  // left forgets a room, and ignores what is late.
  left(room) {
    this.#channels.delete(`room:${room}`);
    this.#left.add(`room:${room}`);
  }

  // disconnected says that the connection has ended: nothing late comes any more.
  disconnected() {
    this.#left.clear();
  }

  // missing reports whether messages wait for others before them, or there was more that
  // did not come. It may be under way still; otherwise a resume brings it.
  missing() {
    return [...this.#channels.values()].some((c) => c.more || c.held.size > 0);
  }
}

// Channel is what the client knows of one.
class Channel {
  known = false; // whether at is set
  at = { epoch: '', seq: 0 }; // of the last message handed on
  floor = 0; // messages up to this number came before the first position was known
  waiting = true; // for the answer to a resume
  more = false; // whether there was more than the last answer had
  held = new Map(); // messages that wait for others, by their positions
  seen = new Set(); // the latest ids, oldest first

  constructor(name) {
    this.name = name;
  }

  receive(epoch, messages) {
    const events = messages.flatMap((message) => this.receiveOne({ epoch, seq: message.seq, message, asked: false }));
    if (this.held.size > maxHeld) this.drop();
    return events;
  }

  // receiveOne takes a live message, and those that have waited for it.
  receiveOne(h) {
    if (this.waiting || this.early(h)) {
      this.held.set(format(h), h);
      return [];
    }
    const events = this.take(h);
    for (;;) {
      const next = this.held.get(format({ epoch: this.at.epoch, seq: this.at.seq + 1 }));
      if (!next) return events;
      events.push(...this.take(next));
    }
  }

  // ask notes that a resume is sent.
  ask() {
    this.waiting = true;
    for (const h of this.held.values()) h.asked = true;
  }

  // resumed takes the answer about this channel.
  resumed({ position, recovered, reason, messages, more }) {
    this.waiting = false;
    this.more = !!more;
    const at = parsePosition(position);
    const events = [];
    if (recovered) {
      this.floor = 0; // what came before the first position and is late by now is dropped
      this.recover(at, messages ?? []);
    } else if (recovered === false) {
      events.push(...this.lose(reason, at));
    } else if (!this.known) {
      this.start(at);
      this.floor = at.seq;
    }
    if (!more) events.push(...this.strays());
    events.push(...this.advance());
    return events;
  }

  // lose goes on at another position than the channel's. Of the messages up to there those
  // that have come are handed on; the others are lost.
  lose(reason, at) {
    const before = this.at;
    const events = [];
    this.start(at);
    let next = -1;
    for (const h of this.heldInOrder()) {
      if (h.epoch !== at.epoch || h.seq > at.seq || (h.epoch === before.epoch && h.seq <= before.seq)) continue;
      if (h.seq !== next) events.push({ channel: this.name, lost: reason });
      events.push(...this.release(h));
      next = h.seq + 1;
    }
    if (next !== at.seq + 1) events.push({ channel: this.name, lost: reason });
    return events;
  }

  // strays hands on messages that came before the log was read, and are in another epoch:
  // they are late, and nothing will bring what was around them.
  strays() {
    const late = this.heldInOrder().filter((h) => h.asked && h.epoch !== this.at.epoch);
    return late.flatMap((h) => this.release(h));
  }

  // start goes on at a position.
  start(at) {
    this.known = true;
    this.at = at;
    this.floor = 0;
  }

  // recover takes the messages that follow the channel's position.
  recover(at, messages) {
    if (at.epoch !== this.at.epoch) { // the log was empty, or goes on in another epoch
      this.start(messages.length > 0 ? { epoch: at.epoch, seq: messages[0].seq - 1 } : at);
    }
    for (const message of messages) {
      const h = { epoch: at.epoch, seq: message.seq, message, asked: false };
      this.held.set(format(h), h);
    }
  }

  // advance hands on what is in order, after the answer to a resume.
  advance() {
    const events = [];
    for (const h of this.heldInOrder()) {
      if (!this.early(h)) events.push(...this.take(h)); // others wait until a resume
    }
    return events;
  }

  // take hands on a message that is not early, unless it was handed on before.
  take(h) {
    if (h.epoch !== this.at.epoch) {
      this.start({ epoch: h.epoch, seq: h.seq }); // the first message of a log that was empty
    } else if (h.seq === this.at.seq + 1) {
      this.at = { epoch: h.epoch, seq: h.seq };
    } else if (h.seq > this.floor) {
      this.held.delete(format(h));
      return [];
    }
    return this.release(h);
  }

  // early reports whether a message has to wait for others.
  early({ epoch, seq }) {
    const first = this.at.seq === 0 && seq === 1; // of a log that was empty
    return !first && (epoch !== this.at.epoch || seq > this.at.seq + 1);
  }

  heldInOrder() {
    return [...this.held.values()].sort(byPosition);
  }

  // drop forgets all but one of the messages that are held, so that missing stays true.
  drop() {
    const last = this.heldInOrder().at(-1);
    this.held = new Map([[format(last), last]]);
  }

  // release hands on a message, which waits no longer.
  release(h) {
    this.held.delete(format(h));
    return this.handOn([h.message]);
  }

  // handOn returns the events of messages that were not handed on before.
  handOn(messages) {
    return messages.filter(({ id }) => this.add(id)).map((message) => ({ channel: this.name, message }));
  }

  // add remembers the id, and reports whether it is new.
  add(id) {
    if (this.seen.has(id)) return false;
    if (this.seen.size >= remembered) this.seen.delete(this.seen.values().next().value);
    this.seen.add(id);
    return true;
  }
}
