// Replays what was done to an Inbox in Go, and fails unless the one in JavaScript says the
// same. The file that it gets has a list of lists of steps.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { Inbox } from '../../../clients/js/index.js';

const told = (events) => events.map(({ channel, message, lost }) => `${channel} ${lost ?? message.id}`);

const steps = {
  receive: (inbox, { frame }) => ({ events: told(inbox.receive(frame)) }),
  positions: (inbox) => ({ positions: inbox.positions() }),
  resumed(inbox, { answers }) {
    const { events, more } = inbox.resumed(answers);
    return { events: told(events), more };
  },
  joined(inbox, { position }) {
    const { events, resume } = inbox.joined('goals', position);
    return { events: told(events), more: resume };
  },
  left(inbox) {
    inbox.left('goals');
    return {};
  },
  disconnected(inbox) {
    inbox.disconnected();
    return {};
  },
};

for (const [i, trace] of JSON.parse(readFileSync(process.argv[2])).entries()) {
  const inbox = new Inbox();
  for (const [j, step] of trace.entries()) {
    const got = { events: [], positions: {}, more: false, ...steps[step.do](inbox, step), missing: inbox.missing() };
    assert.deepEqual(got, step.want, `trace ${i}, step ${j}: ${step.do}`);
  }
}
