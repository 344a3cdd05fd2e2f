// A client on Node 22 or later, without packages. It speaks as a browser does: the token
// in the variable TOKEN, if any, travels as a subprotocol.
//
//     node node.mjs ws://localhost:3001 "a message to everyone"
const [url, content] = process.argv.slice(2);
const token = process.env.TOKEN;

const socket = new WebSocket(url, token ? ['bearer', token] : []);
socket.onopen = () => content && socket.send(JSON.stringify({ action: 'sendMessage', content }));
socket.onmessage = ({ data }) => console.log(data);
socket.onclose = ({ code }) => console.error(`closed with ${code}`);
socket.onerror = () => { process.exitCode = 1; };
