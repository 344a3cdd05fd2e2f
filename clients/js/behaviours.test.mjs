// Runs ../behaviours.json, which ../README.md explains: node --test
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { connect } from './index.js';
import { Script, quiet } from './script.mjs';

const behaviours = JSON.parse(readFileSync(new URL('../behaviours.json', import.meta.url)));

for (const behaviour of behaviours) {
  test(behaviour.name, async () => {
    const script = new Script(behaviour);
    const { rooms, maxSends, tokens } = behaviour;
    const client = connect({
      url: 'ws://localhost',
      onMessage: (event) => script.see(event),
      onError: (error) => script.told.push(error),
      ...(tokens && { token: () => script.token() }),
      ...(rooms && { rooms }),
      ...(maxSends && { maxSends }),
    }, script.parts);
    for (const [i, step] of [...behaviour.steps, { wait: 0.001 }].entries()) {
      await quiet();
      try {
        await take(script, client, step);
      } catch (error) {
        error.message = `step ${i + 1}, ${JSON.stringify(step)}: ${error.message}`;
        throw error;
      }
    }
    client.close();
  });
}

async function take(script, client, step) {
  const [name] = Object.keys(step);
  await steps[name](script, step[name], step, client);
}

// What the steps do, by their names.
const steps = {
  connects(script, token) {
    script.socket = script.dialed(token);
    script.socket.onopen();
  },
  hangs(script, _, { token }) {
    script.dialed(token);
  },
  // A browser does not tell why.
  fails(script, _, { token }) {
    script.dialed(token).onclose({ code: 1006 });
  },
  sends(script, want) {
    assert.ok(script.socket.written.length > 0, 'the client sends nothing');
    const got = script.socket.written.shift();
    if (want.ref.startsWith('$')) {
      if (want.again) assert.equal(got.ref, script.refs[want.ref], 'it is sent again under another ref');
      script.refs[want.ref] = got.ref;
      got.ref = want.ref;
    }
    const token = want.token && { token: script.tokens[want.token] };
    assert.deepEqual(got, { ...want, ...token });
  },
  gets(script, frame) {
    const text = JSON.stringify(frame).replace(/"(\$\w+)"/g, (_, ref) => JSON.stringify(script.refs[ref]));
    script.socket.onmessage({ data: text });
  },
  garbled(script, data) {
    script.socket.onmessage({ data });
  },
  async wait(script, seconds) {
    script.nothingElse();
    await script.clock.pass(seconds * 1000);
  },
  cut(script, code) {
    script.socket.close = () => {};
    script.socket.onclose({ code });
  },
  closes(script) {
    assert.ok(script.socket.closed, 'the client does not close');
    script.socket.closed = false;
  },
  sees(script, want) {
    assert.deepEqual(script.seen.splice(0), want);
  },
  user(script, { join, leave, send, close }, { as }, client) {
    if (close) return client.close();
    const done = join ? client.join(join) : leave ? client.leave(leave) : client.send(send);
    done.then((id = 'ok') => { script.results[as] = id; }, ({ code, retryAfter }) => {
      script.results[as] = retryAfter ? `${code} ${retryAfter}` : code;
    });
  },
  ends(script, want) {
    for (const [as, result] of Object.entries(want)) {
      assert.equal(script.results[as], result, as);
      delete script.results[as];
    }
  },
  told(script, code) {
    const codes = script.told.splice(0).map((error) => error.code);
    assert.ok(code === '' ? codes.length > 0 : codes.includes(code), `the user is told ${codes}`);
  },
};
