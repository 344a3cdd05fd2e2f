'use strict';

const { execFileSync } = require('node:child_process');

// How many fan-out workers read a queue at least: fewer AWS does not take. New jobs
// and retries have so many, parts of jobs have the others.
const fewest = 2;

// How many characters IAM takes.
const longestRoleName = 64;

// What each parameter may be. Of the Serverless Framework's own checks, some are
// too wide for AWS, and none tells the parameter's name.
const rules = {
  memory: wholeNumber(128, 10240),
  fanOutMemory: wholeNumber(128, 10240),
  fanOutConcurrency: wholeNumber(3 * fewest, 1000),
  postsInFlight: wholeNumber(1),
  postsPerSecond: wholeNumber(1),
  batchWindow: wholeNumber(0, 30),
  batchSize: wholeNumber(1, 10000),
  logLevel: oneOf('DEBUG', 'INFO', 'WARN', 'ERROR'),
  throttleRate: wholeNumber(1),
  throttleBurst: wholeNumber(1),
  tracing: oneOf('Active', 'PassThrough'),
  accountLogRole: oneOf('create', 'existing'),
};

// A plugin of the Serverless Framework: it checks the parameters, tells
// serverless.yml how many ${workers:…} read which queue, and makes the zip files
// named there before they are packaged or deployed.
module.exports = class BuildFunctions {
  constructor(serverless, options) {
    const params = parameters(serverless, options);
    const wrong = complaint(params) ?? tooLong(serverless.service);
    if (wrong) throw new serverless.classes.Error(wrong, 'INVALID_PARAMETER');

    const workers = { jobs: fewest, retries: fewest, parts: params.fanOutConcurrency - 2 * fewest };
    this.configurationVariablesSources = {
      workers: { resolve: ({ address }) => ({ value: workers[address] }) },
    };

    // The framework empties .serverless first, and sees a change only in zips that
    // lie in it.
    const build = (names) => {
      const zips = names.map((name) => serverless.service.functions[name].package.artifact);
      execFileSync('make', ['PACKAGES=.serverless', ...zips], {
        cwd: serverless.serviceDir,
        stdio: ['ignore', process.stderr, process.stderr],
      });
    };
    this.hooks = {
      'before:package:createDeploymentArtifacts': () => build(Object.keys(serverless.service.functions)),
      'before:package:function:package': () => build([options.function]),
      'error': (error) => {
        // "No existing streams for the function"
        if (error.code !== 'NO_EXISTING_LOG_STREAMS') return;
        error.message = `${options.function} has no log on the stage ${serverless.service.provider.stage}: it has not run yet.`;
      },
    };
  }
};

// parameters returns the values that ${param:…} has.
function parameters(serverless, options) {
  const { params } = serverless.configurationInput;
  const given = (options.param ?? []).map((param) => param.split(/=(.*)/s, 2));
  return { ...params.default, ...params[serverless.service.provider.stage], ...Object.fromEntries(given) };
}

// complaint returns what is wrong with the first parameter that is, or nothing.
function complaint(params) {
  for (const [name, rule] of Object.entries(rules)) {
    const expected = rule(String(params[name]));
    if (expected) return `The parameter ${name} is "${params[name]}", and has to be ${expected}.`;
  }
  if (params.batchSize > 10 && params.batchWindow < 1) {
    return `The parameter batchSize is ${params.batchSize}: without a batchWindow, 10 is the most.`;
  }
}

// tooLong returns what is wrong with the stage if IAM would not take the names
// that roles have in serverless.yml: ${self:custom.roles}-default is the longest.
function tooLong({ service, provider: { stage, region } }) {
  const excess = `${service}-${stage}-${region}-default`.length - longestRoleName;
  if (excess <= 0) return;
  const most = stage.length - excess;
  return `The stage "${stage}" is too long: in ${region}, ${most} characters are the most, for the names of roles.`;
}

// A rule returns what a value has to be, if it is not.
function wholeNumber(least, most = Infinity) {
  const range = most === Infinity ? `${least} or more` : `from ${least} to ${most}`;
  return (value) =>
    /^\d+$/.test(value) && value >= least && value <= most ? undefined : `a whole number, ${range}`;
}

function oneOf(...values) {
  return (value) => (values.includes(value) ? undefined : `one of ${values.join(', ')}`);
}
