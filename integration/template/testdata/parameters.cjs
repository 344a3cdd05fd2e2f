'use strict';

// Prints what serverless.build.js has against each of the parameters given on
// the command line as JSON, "" for nothing.
const Build = require('../../../serverless.build.js');

const { params, given } = JSON.parse(process.argv[2]);
const complaints = given.map(([stage, param]) => {
  const serverless = { classes: { Error }, configurationInput: { params }, service: { provider: { stage } } };
  try {
    new Build(serverless, { param: [param] });
    return '';
  } catch (error) {
    return error.message;
  }
});
console.log(JSON.stringify(complaints));
