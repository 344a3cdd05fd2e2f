// Prints the events of the JavaScript client, one a line, and what becomes of the messages
// that it sends to the room goals: from the first number there, until a message says stop.
//
//     TOKEN=… node follow.mjs ws://localhost:3001
import { connect } from '../../../clients/js/index.js';

const print = (line) => console.log(JSON.stringify(line));
let timer;

const client = connect({
  url: process.argv[2],
  token: () => process.env.TOKEN,
  rooms: ['goals'],
  onMessage({ channel, message, lost }) {
    print({ channel, id: message?.id, content: message?.content, lost });
    if (message?.content === 'stop') clearInterval(timer);
    if (message?.content === 'start') timer = setInterval(send, 100);
  },
});

async function send() {
  try {
    print({ accepted: await client.send({ content: 'from JavaScript', room: 'goals' }) });
  } catch (error) {
    if (!error.code) throw error;
    print({ refused: error.code });
  }
}
