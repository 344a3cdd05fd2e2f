// Rooms are those that the client is in, or wants to be in. The host asks and resumes for
// them.
export class Rooms {
  #rooms = new Map();
  #inbox;
  #host;

  constructor(names, inbox, host) {
    this.#inbox = inbox;
    this.#host = host;
    for (const name of names) this.#rooms.set(name, newRoom(true));
  }

  // wants reports whether messages of the channel are for the user.
  wants(channel = 'everyone') {
    return !channel.startsWith('room:') || !!this.#rooms.get(channel.slice('room:'.length))?.wanted;
  }

  // busy reports whether a request is under way.
  busy() {
    return [...this.#rooms.values()].some((room) => room.asked);
  }

  // change notes whether the user wants to be in a room, and sees to it.
  change(name, wanted) {
    if (!this.#rooms.has(name)) this.#rooms.set(name, newRoom(false));
    const room = this.#rooms.get(name);
    room.wanted = wanted;
    if (wanted) this.#inbox.joining(name);
    else this.#inbox.left(name);
    return new Promise((resolve, reject) => {
      room.waiting.push((error) => (error ? reject(error) : resolve()));
      this.#settle(name);
    });
  }

  // settleAll makes the requests that are needed.
  settleAll() {
    for (const name of [...this.#rooms.keys()].sort()) this.#settle(name);
  }

  // settle makes the next request about a room, if one is needed.
  #settle(name) {
    const room = this.#rooms.get(name);
    if (room.asked) return;
    if (room.wanted === room.joined) {
      if (!room.wanted) this.#rooms.delete(name);
      tell(room);
    } else if (this.#host.open()) {
      room.asked = true;
      if (room.wanted) this.#host.ask({ action: 'joinRoom', room: name }, ({ joined }, error) => this.#joined(name, joined, error));
      else this.#host.ask({ action: 'leaveRoom', room: name }, (_, error) => this.#left(name, error));
    }
  }

  #joined(name, joined, error) {
    const room = this.#rooms.get(name);
    room.asked = false;
    let due = false;
    if (!error) {
      room.joined = true;
      if (room.wanted) due = this.#joinedAt(name, joined.position);
      this.#settle(name);
    } else if (temporary(error)) {
      this.#host.tryLater();
    } else {
      this.#refused(name, error);
    }
    this.#host.answered(due);
  }

  #joinedAt(name, position) {
    const { events, resume } = this.#inbox.joined(name, position);
    this.#host.handOn(events);
    return resume;
  }

  #left(name, error) {
    const room = this.#rooms.get(name);
    room.asked = room.joined = false;
    if (error) tell(room, error);
    this.#settle(name);
    this.#host.answered(false);
  }

  // refused forgets a room that the client may not be in.
  #refused(name, error) {
    const room = this.#rooms.get(name);
    this.#rooms.delete(name);
    this.#inbox.left(name);
    if (room.waiting.length === 0) this.#host.fails(error);
    tell(room, error);
  }

  // check takes what a resume says of a room. The client joins again a room in which it is
  // no more: the first time at once.
  check(name, error) {
    const room = this.#rooms.get(name);
    if (!error) {
      room.rejoins = 0;
    } else if (error.code !== 'not_a_member') {
      this.#refused(name, error);
    } else {
      room.joined = false;
      if (++room.rejoins === 1) this.#settle(name);
      else this.#host.tryLater();
    }
  }

  // disconnected notes that the connection has ended: it is in no room.
  disconnected() {
    for (const [name, room] of this.#rooms) {
      room.asked = room.joined = false;
      if (!room.wanted) this.#settle(name);
    }
  }

  // close tells those that wait that there will be no answer.
  close(error) {
    for (const room of this.#rooms.values()) tell(room, error);
  }
}

const newRoom = (wanted) => ({
  wanted,
  joined: false, // on this connection
  asked: false, // whether a request about it is under way: there is one at a time
  rejoins: 0, // in a row
  waiting: [],
});

const tell = (room, error) => room.waiting.splice(0).forEach((told) => told(error));

// temporary reports whether the service may accept the same request later.
export const temporary = ({ code }) => code === 'unavailable' || code === 'internal';
