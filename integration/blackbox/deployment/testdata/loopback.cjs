'use strict';

// Preloaded into Node: a request to any other host ends the process.
const net = require('node:net');

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...args) {
  const { host, path } = [args[0]].flat()[0] ?? {};
  if (host !== '127.0.0.1' && !path) {
    process.stderr.write(`network used: ${host}\n`);
    process.exit(97);
  }
  return connect.apply(this, args);
};
