// Reads the paths of templates, a line each, and prints what the offline
// CloudFormation validator finds in each, a line of JSON each. Its other engine,
// CEL, finds the same and takes twice as long to start.
import { createInterface } from 'node:readline';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';

const engine = new RegoEngine();
for await (const path of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(engine.validateStandard(new TemplateFile(path))));
}
