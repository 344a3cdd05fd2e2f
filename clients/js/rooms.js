import { ClientError } from './error.js';
import { temporary } from './token.js';

// Requests with a much longer name would end each connection.
const maxRoom = 128;

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
    room.refused = false;
    if (wanted) this.#inbox.joining(name);
    else this.#inbox.left(name);
    return new Promise((resolve, reject) => {
      room.waiting.push({ in: wanted, told: (error) => (error ? reject(error) : resolve()) });
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
      tell(room, true);
      tell(room, false);
    } else if (name.length > maxRoom) {
      this.#refused(name, new ClientError('invalid_room', 'the name of a room has at most 128 characters'));
    } else if (this.#host.open() && !room.refused) {
      this.#ask(name, room);
    }
  }

  #ask(name, room) {
    room.asked = true;
    if (room.wanted) {
      this.#host.ask({ action: 'joinRoom', room: name }, ({ joined }, error) => this.#joined(name, joined, error));
    } else {
      this.#host.ask({ action: 'leaveRoom', room: name }, (_, error) => this.#left(name, error));
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
      this.#joinLater(name, error);
    } else if (this.#mayLater(error)) {
      this.#shutOut(name, error);
    } else {
      this.#refused(name, error);
    }
    this.#host.answered(due);
  }

  // joinLater joins a room at the next repair, unless the user has left it meanwhile.
  #joinLater(name, error) {
    if (this.#rooms.get(name).wanted) this.#host.tryLater(error);
    else this.#settle(name);
  }

  #joinedAt(name, position) {
    const { events, resume } = this.#inbox.joined(name, position);
    this.#host.handOn(events);
    return resume;
  }

  #left(name, error) {
    const room = this.#rooms.get(name);
    room.asked = room.joined = false;
    if (error) tell(room, false, error);
    this.#settle(name);
    this.#host.answered(false);
  }

  // refused forgets a room that the client may not be in.
  #refused(name, error) {
    this.#deny(name, error);
    this.#rooms.delete(name);
    this.#inbox.left(name);
  }

  // mayLater reports whether the client may be in a room once it has another token.
  #mayLater({ code }) {
    return this.#host.hasToken && code === 'unauthenticated';
  }

  // shutOut notes that the client may not be in a room on this connection.
  #shutOut(name, error) {
    this.#deny(name, error);
    this.#rooms.get(name).refused = true;
    this.#settle(name);
  }

  // deny tells that the client may not be in a room. Those who want to be out of it are.
  #deny(name, error) {
    const room = this.#rooms.get(name);
    if (!tell(room, true, error) && room.wanted) this.#host.fails(error);
    tell(room, false);
  }

  // check takes what a resume says of a room. The client joins again a room in which it is
  // no more: the first time at once.
  check(name, error) {
    const room = this.#rooms.get(name);
    if (!error) {
      room.rejoins = 0;
    } else if (room.refused || room.asked) {
      return; // until the next connection, or the answer to the request about the room
    } else if (this.#mayLater(error)) {
      this.#shutOut(name, error);
    } else if (error.code !== 'not_a_member') {
      this.#refused(name, error);
    } else {
      room.joined = false;
      if (++room.rejoins === 1) this.#settle(name);
      else this.#host.tryLater(error);
    }
  }

  // disconnected notes that the connection has ended: it is in no room.
  disconnected() {
    this.#inbox.disconnected();
    for (const [name, room] of this.#rooms) {
      room.asked = room.joined = room.refused = false;
      if (!room.wanted) this.#settle(name);
    }
  }

  // close tells those that wait that there will be no answer.
  close(error) {
    for (const room of this.#rooms.values()) {
      tell(room, true, error);
      tell(room, false, error);
    }
  }
}

const newRoom = (wanted) => ({
  wanted,
  joined: false, // on this connection
  refused: false, // on this connection: another may have a better token
  asked: false, // whether a request about it is under way: there is one at a time
  rejoins: 0, // in a row
  waiting: [],
});

// tell tells those who wait to be in the room, or those who wait to be out of it, and
// returns whether there were any.
const tell = (room, isIn, error) => {
  const waiting = room.waiting;
  room.waiting = waiting.filter((one) => one.in !== isIn);
  for (const one of waiting) if (one.in === isIn) one.told(error);
  return room.waiting.length < waiting.length;
};
