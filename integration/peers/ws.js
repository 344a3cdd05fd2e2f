'use strict';

const { WebSocket, WebSocketServer } = require('ws');

const server = new WebSocketServer({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });

server.on('connection', (client) => {
  client.on('error', () => client.terminate());
  client.on('message', (message) => {
    for (const each of server.clients) {
      if (each.readyState === WebSocket.OPEN) each.send(message, { binary: false });
    }
  });
});
