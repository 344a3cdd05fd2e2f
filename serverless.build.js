'use strict';

const { execFileSync } = require('node:child_process');

// A plugin of the Serverless Framework: it makes the zip files that
// serverless.yml names before they are packaged or deployed.
module.exports = class BuildFunctions {
  constructor(serverless) {
    const build = () =>
      execFileSync('make', ['package'], {
        cwd: serverless.serviceDir,
        stdio: ['ignore', process.stderr, process.stderr],
      });
    this.hooks = {
      'before:package:createDeploymentArtifacts': build,
      'before:package:function:package': build,
    };
  }
};
