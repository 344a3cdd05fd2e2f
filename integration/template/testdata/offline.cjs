'use strict';

// Preloaded into the Serverless Framework: any request to the network
// ends it, so a successful run has made none.
require('node:net').Socket.prototype.connect = (...args) => {
  process.stderr.write(`network used: ${JSON.stringify(args[0])}\n`);
  process.exit(97);
};
