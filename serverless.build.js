'use strict';

const { execFileSync } = require('node:child_process');

// AWS's minimum number of workers for a queue. New jobs, jobs for users and rooms, and
// retries get that many each, parts of jobs the rest. A test keeps this in step with
// fanout.Quota, by which the workers divide the posts a second.
const fewest = 2;

// The maximum length of the name of a role or a function in IAM and Lambda.
const longestName = 64;

// What the functions can read, as far as a pattern tells; URL.canParse checks the rest.
const origin = /^[a-z][a-z0-9+.-]*:\/\/(\*\.)?([\w.-]+|\[[\dA-Fa-f:.]+\])(:\d{1,5})?$/;
const jwksUrl = /^https:\/\/([\w.-]+|\[[\dA-Fa-f:.]+\])(:\d{1,5})?(\/([\w~!$&'()*+,;=:@\/?.-]|%[\dA-Fa-f]{2})*)?$/;

// The allowed values of each parameter. Some of the framework's own checks are too lax
// for AWS, and none names the parameter.
const rules = {
  memory: wholeNumber(128, 10240),
  fanOutMemory: wholeNumber(128, 10240),
  fanOutConcurrency: wholeNumber(4 * fewest, 1000),
  // Each post in flight has a connection, and Lambda allows a process 1,024 descriptors.
  postsInFlight: wholeNumber(1, 1000),
  postsPerSecond: wholeNumber(1, 1000000),
  // A tenth is for retries.
  channelPercent: wholeNumber(1, 80),
  confirmGoneAfter: (value) => (value === '0' ? undefined : wholeNumber(10, 900)(value)?.concat(', or 0')),
  batchWindow: wholeNumber(0, 30),
  batchSize: wholeNumber(1, 10000),
  auth: oneOf('none', 'jwt'),
  // https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
  jwtSecretParameter: optional(
    /^(?=.{1,500}$)(?!\/(aws|ssm))(\/[\w.-]+){1,15}$/i,
    'the name of an SSM parameter such as /chat/jwt-secret'
  ),
  jwksUrl: optional(
    { test: (value) => jwksUrl.test(value) && URL.canParse(value) },
    'an https URL such as https://example.com/jwks.json'
  ),
  jwtIssuer: optional(/^\S+$/, 'text without spaces'),
  jwtAudience: optional(/^\S+$/, 'text without spaces'),
  origins: (value) =>
    value === '' || value.split(',').every((one) => one.trim() === '*' || (origin.test(one.trim()) && URL.canParse(one.trim())))
      ? undefined
      : 'origins such as https://example.com, separated by commas, or *',
  broadcastBy: oneOf('anyone', 'users', 'nobody'),
  // Each request to join reads the list of them, and a renewal can leave them all.
  maxRooms: wholeNumber(1, 100),
  historyDays: wholeNumber(0, 365),
  logLevel: oneOf('DEBUG', 'INFO', 'WARN', 'ERROR'),
  // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
  logRetentionDays: oneOf(
    ...[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731],
    ...[1096, 1827, 2192, 2557, 2922, 3288, 3653]
  ),
  throttleRate: wholeNumber(1, 1000000),
  throttleBurst: wholeNumber(1, 5000),
  alarmEmail: optional(/^[^\s@]+@[^\s@]+$/, 'an address such as me@example.com'),
  tracing: oneOf('Active', 'PassThrough'),
  accountLogRole: oneOf('create', 'existing'),
  domainName: optional(
    /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/,
    'a name such as chat.example.com'
  ),
  certificateArn: optional(
    /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/,
    'an ACM ARN, arn:aws:acm:REGION:ACCOUNT:certificate/ID'
  ),
};

// A plugin of the Serverless Framework: it checks the parameters, resolves ${workers:…}
// to the number of workers for each queue, and builds the zip files before they are
// packaged or deployed.
module.exports = class BuildFunctions {
  constructor(serverless, options) {
    const fail = (message, code) => {
      throw new serverless.classes.Error(message, code); // shown without a stack
    };
    const check = (settled) => {
      const wrong = complaint(serverless, options.param ?? [], settled);
      if (wrong) fail(wrong, 'INVALID_PARAMETER');
    };
    // Checks parameters before the framework uses them, except those with unresolved
    // variables, and again once those are resolved.
    check((value) => !String(value).includes('${'));

    const some = () => fewest;
    const workers = { jobs: some, channels: some, retries: some, parts: (all) => all - 3 * fewest };
    this.configurationVariablesSources = {
      workers: {
        resolve: async ({ address, resolveVariable }) => ({
          value: workers[address](await resolveVariable('param:fanOutConcurrency')),
        }),
      },
    };

    const { service, serviceDir } = serverless;
    const build = (names) => makePackages(serviceDir, names.map((name) => service.functions[name].package.artifact), fail);
    this.hooks = {
      initialize: () => check(() => true),
      'before:package:createDeploymentArtifacts': () => build(Object.keys(service.functions)),
      'before:package:function:package': () => build([options.function]),
      error: (error) => {
        // "No existing streams for the function"
        if (error.code !== 'NO_EXISTING_LOG_STREAMS') return;
        error.message = `${options.function} has no log on the stage ${service.provider.stage}: it has not run yet.`;
      },
    };
  }
};

// makePackages builds the zip files in .serverless: the framework empties it first, and
// detects changes only in zips there. Output of the build tools is passed through.
function makePackages(dir, zips, fail) {
  const runs = (program, args, stdout) => {
    try {
      execFileSync(program, args, { cwd: dir, stdio: ['ignore', stdout, process.stderr] });
      return true;
    } catch {
      return false;
    }
  };
  for (const [program, ...args] of [['make', '--version'], ['go', 'version']]) {
    if (!runs(program, args, 'ignore')) fail(`Building the functions needs ${program}, which does not run here.`, 'NO_BUILD');
  }
  if (!runs('make', ['PACKAGES=.serverless', ...zips], process.stderr)) {
    fail('The functions could not be built; the lines above say why. Nothing was deployed.', 'NO_BUILD');
  }
}

// complaint describes the first wrong parameter, if any.
function complaint(serverless, given, settled) {
  const { params } = serverless.configurationInput;
  const { stage, region } = serverless.service.provider;
  const pairs = given.map((param) => String(param ?? '').split(/=(.*)/s, 2));
  const values = { ...params.default, ...params[stage], ...Object.fromEntries(pairs) };
  return (
    wrongStage(serverless.service, stage, settled) ??
    wrongPair(pairs) ??
    wrongName(Object.keys(values), Object.keys(params.default)) ??
    wrongValue(values, settled) ??
    wrongTogether(values, region, settled)
  );
}

// wrongStage checks the length of known names that contain the stage. The framework
// itself checks the characters of a stage and the region.
function wrongStage({ resources, functions }, stage, settled) {
  const names = [
    ...Object.values(resources?.Resources ?? {}).map(({ Properties }) => Properties?.RoleName),
    ...Object.values(functions ?? {}).map(({ name }) => name),
  ];
  const long = names.find((name) => settled(name) && name?.length > longestName);
  return long && `The stage ${stage} is too long: AWS allows names of ${longestName} characters, and ${long} has ${long.length}.`;
}

// wrongPair checks the --param arguments of the command line.
function wrongPair(pairs) {
  const names = pairs.map(([name]) => name);
  for (const [i, [name, value]] of pairs.entries()) {
    if (value === undefined) return `The parameter ${quote(name)} has no value: give it as --param name=value.`;
    if (value.trim() === '') return `The parameter ${name} is empty: omit it to use its default.`;
    if (names.indexOf(name) < i) return `The parameter ${name} is given more than once.`;
  }
}

function wrongName(names, known) {
  const name = names.find((name) => !known.includes(name));
  if (name === undefined) return;
  const [nearest] = known.toSorted((a, b) => distance(a, name) - distance(b, name));
  const isNear = distance(nearest, name) <= name.length / 2;
  return `There is no parameter ${quote(name)}. ${isNear ? `Did you mean ${nearest}?` : `There are ${known.join(', ')}.`}`;
}

function wrongValue(values, settled) {
  for (const [name, rule] of Object.entries(rules)) {
    const expected = settled(values[name]) && rule(string(values[name]));
    if (expected) return `The parameter ${name} is ${quote(values[name])}; it must be ${expected}.`;
  }
}

function wrongTogether(values, region, settled) {
  return wrongBatch(values) ?? wrongDomain(values, region, settled) ?? wrongIdentity(values, settled);
}

function wrongBatch({ batchSize, batchWindow }) {
  if (batchSize > 10 && batchWindow < 1) {
    return `The parameter batchSize is ${batchSize}: without a batchWindow, the maximum is 10.`;
  }
}

function wrongDomain({ domainName, certificateArn }, region, settled) {
  if (!domainName !== !certificateArn) {
    const [set, missing] = domainName ? ['domainName', 'certificateArn'] : ['certificateArn', 'domainName'];
    return `The parameter ${set} is set without ${missing}: a custom domain needs both.`;
  }
  const home = settled(certificateArn) ? string(certificateArn).split(':')[3] : region;
  if (certificateArn && home !== region) {
    return `The parameter certificateArn names a certificate in ${home}, but the API is in ${region}.`;
  }
}

// wrongIdentity finds settings that would let no one connect or send, or that would look
// as if they kept someone out.
function wrongIdentity(values, settled) {
  const { auth, jwtSecretParameter, jwksUrl, broadcastBy } = values;
  if (!settled(auth)) return;
  if (auth === 'jwt') {
    if (!jwtSecretParameter !== !jwksUrl) return;
    return jwksUrl
      ? 'The parameters jwtSecretParameter and jwksUrl are both set: tokens are verified by one of them.'
      : 'The parameter auth is jwt: set jwtSecretParameter or jwksUrl too.';
  }
  const idle = ['jwtSecretParameter', 'jwksUrl', 'jwtIssuer', 'jwtAudience', 'origins'].find((name) => values[name]);
  if (idle) return `The parameter ${idle} has no effect without auth=jwt.`;
  if (broadcastBy === 'users') return 'The parameter broadcastBy is users, but no one can sign in without auth=jwt.';
}

// A rule returns what a wrong value must be, and nothing for a good one.
function wholeNumber(least, most) {
  return (value) =>
    /^(0|[1-9]\d*)$/.test(value) && value >= least && value <= most
      ? undefined
      : `a whole number from ${least} to ${most}`;
}

function oneOf(...values) {
  return (value) => (values.map(String).includes(value) ? undefined : `one of ${values.join(', ')}`);
}

function optional(pattern, what) {
  return (value) => (value === '' || pattern.test(value) ? undefined : `${what}, or empty`);
}

// string converts a value of serverless.yml to text; a missing value becomes "".
function string(value) {
  return typeof value === 'object' && value ? JSON.stringify(value) : String(value ?? '');
}

function quote(value) {
  return JSON.stringify(string(value));
}

// distance is the edit distance between two names.
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j + 1] + 1, next[j] + 1, row[j] + (a[i] === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
