'use strict';

// Preloaded into the Serverless Framework: whatever it wants from the network
// ends it, so that a run that succeeds has asked for nothing.
require('node:net').Socket.prototype.connect = (...args) => {
  process.stderr.write(`network used: ${JSON.stringify(args[0])}\n`);
  process.exit(97);
};
