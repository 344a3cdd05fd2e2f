// Reads the paths of templates, one per line, and prints the findings of the
// offline CloudFormation validator as a line of JSON each. Its other engine,
// CEL, finds the same and takes twice as long to start.
import { createInterface } from 'node:readline';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';

const engine = new RegoEngine();
for await (const path of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(engine.validateStandard(new TemplateFile(path))));
}
