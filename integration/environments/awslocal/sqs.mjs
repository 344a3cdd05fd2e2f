// An SQS server on 127.0.0.1 and a port of its own choice, which it prints. It
// ends when its standard input does, that is, with the process that started it.
import { buildApp } from "fauxqs";
import { INVALID_MESSAGE_BODY_CHAR } from "../../../node_modules/fauxqs/dist/sqs/sqsTypes.js";

// fauxqs 1.9.2 mistakes UTF-16 units for characters and so refuses those above
// U+FFFF, such as emoji, which SQS accepts:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
INVALID_MESSAGE_BODY_CHAR.test = (body) =>
  /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u.test(body);

const app = buildApp({ logger: false });
console.log(await app.listen({ port: 0, host: "127.0.0.1" }));
process.stdin.on("end", () => process.exit()).resume();
