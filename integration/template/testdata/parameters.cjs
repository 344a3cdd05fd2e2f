'use strict';

// Prints what serverless.build.js has against the parameters of each case given
// on the command line as JSON, "" for nothing: those of the command line, and
// those that serverless.yml has for the stage besides.
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
