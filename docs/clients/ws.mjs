// A client on any Node with the package ws, which can send the token in the variable
// TOKEN, if any, in a header.
//
//     node ws.mjs ws://localhost:3001 "a message to everyone"
import WebSocket from 'ws';

const [url, content] = process.argv.slice(2);
const token = process.env.TOKEN;

const socket = new WebSocket(url, { headers: token ? { Authorization: `Bearer ${token}` } : {} });
socket.on('open', () => content && socket.send(JSON.stringify({ action: 'sendMessage', content })));
socket.on('message', (data) => console.log(data.toString()));
socket.on('close', (code) => console.error(`closed with ${code}`));
socket.on('error', ({ message }) => {
  console.error(message); // of a refused handshake, with its status
  process.exitCode = 1;
});
