'use strict';

// Prints the complaint of serverless.build.js about the parameters of each case,
// or "" for none. Cases are given as JSON on the command line: parameters of the
// command line, and additional ones in serverless.yml for the stage.
const Build = require('../../../serverless.build.js');

const { params, cases } = JSON.parse(process.argv[2]);
const complaints = cases.map(({ stage, region, given, own }) => {
  const serverless = {
    classes: { Error },
    configurationInput: { params: { ...params, [stage]: { ...params[stage], ...own } } },
    service: { service: 'serverless-websocket', provider: { stage, region } },
  };
  try {
    new Build(serverless, { param: given ?? undefined });
    return '';
  } catch (error) {
    return error.message;
  }
});
console.log(JSON.stringify(complaints));
