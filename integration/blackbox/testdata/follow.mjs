// Prints the events of the JavaScript client, one a line, and which messages to the room
// goals were accepted, each of which it sends again until it is: from the message there that
// says start until the one that says stop. To the client, time goes RATE times as fast.
//
//     SECRET=… RATE=1 node follow.mjs ws://localhost:3001
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { connect } from '../../../clients/js/index.js';

const rate = Number(process.env.RATE);
const print = (line) => console.log(JSON.stringify(line));
const base64 = (value) => Buffer.from(value).toString('base64url');
let expires = Date.now(); // when the latest token does
let sending = false;

// token lasts for some minutes of the client's time.
function token() {
  const exp = Math.ceil(Date.now() / 1_000 + (120 + 600 * Math.random()) / rate);
  expires = exp * 1_000;
  const text = `${base64('{"alg":"HS256","typ":"JWT"}')}.${base64(JSON.stringify({ sub: 'javascript', exp, jti: Math.random() }))}`;
  return `${text}.${createHmac('sha256', process.env.SECRET).update(text).digest('base64url')}`;
}

const client = connect({
  url: process.argv[2],
  token,
  rooms: ['goals'],
  timeout: 120_000, // at a rate of 60, two seconds of a machine that may be busy
  onMessage({ channel, message, lost }) {
    print({ channel, id: message?.id, content: message?.content, lost });
    if (channel !== 'room:goals') return;
    if (message?.content === 'start' && !sending) send();
    if (message?.content === 'stop') sending = false;
  },
  onError: (error) => console.error(error.message),
}, {
  setTimeout: (f, ms) => setTimeout(f, ms / rate),
  now: () => expires - rate * (expires - Date.now()),
});

async function send() {
  sending = true;
  for (let n = 1; sending; n++) {
    const message = { content: { from: 'javascript', n }, room: 'goals', ref: `javascript-${n}`, again: false };
    while (!await accepted(message)) await sleep(100);
    await sleep(100);
  }
}

// accepted sends a message. If nobody knows whether it was accepted, the next try says so.
async function accepted(message) {
  try {
    await client.send(message);
    print({ accepted: message.content });
    return true;
  } catch (error) {
    if (!error.code) throw error;
    print({ refused: error.code });
    message.again ||= error.code === 'unanswered' || error.code === 'unavailable';
    return false;
  }
}
