// Prints what the offline CloudFormation validator finds in each template, as
// JSON. Its other engine, CEL, finds the same and takes twice as long to start.
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';

const engine = new RegoEngine();
const reports = process.argv.slice(2).map((path) => engine.validateStandard(new TemplateFile(path)));
console.log(JSON.stringify(reports));
