'use strict';

const { WebSocket, WebSocketServer } = require('ws');

const [host, port] = process.argv[2].split(':');
const server = new WebSocketServer({ host, port: Number(port), backlog: 4096 });

server.on('connection', (client) => {
  client.on('error', () => client.terminate());
  client.on('message', (message) => {
    for (const each of server.clients) {
      if (each.readyState === WebSocket.OPEN) each.send(message, { binary: false });
    }
  });
});
