// What only concerns the client in JavaScript.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connect } from './index.js';
import { Script, quiet } from './script.mjs';

function start(script, options = {}) {
  return connect({
    url: 'ws://localhost', onMessage: (event) => script.see(event), onError: (error) => script.told.push(error), ...options,
  }, script.parts);
}

async function open(script, name) {
  await quiet();
  script.socket = script.dialed(name);
  script.socket.onopen();
}

test('a message that does not fit into a frame', async () => {
  const script = new Script({});
  const client = start(script);
  await open(script);
  await assert.rejects(client.send({ content: '한'.repeat(11_000) }), { code: 'too_large' });
  client.send({ content: 'x'.repeat(32_000) });
  assert.equal(script.socket.written.length, 2);
});

test('a token for longer than a timer can wait', async () => {
  const script = new Script({ tokens: [['t1', 60 * 24 * 3600]] });
  start(script, { token: () => script.token() });
  await open(script, 't1');
  assert.deepEqual(script.told, []);
});

test('closed while it waits for a token', async () => {
  const script = new Script({});
  let give;
  const client = start(script, { token: () => new Promise((resolve) => { give = resolve; }) });
  client.close();
  give('token');
  await quiet();
  script.nothingElse();
});

test('nothing is handed on after close', async () => {
  const script = new Script({});
  const client = start(script, {
    onMessage: (event) => {
      script.see(event);
      client.close();
    },
  });
  await open(script);
  script.socket.onmessage({ data: '{"messages":[{"id":"a"},{"id":"b"}]}' });
  await quiet();
  assert.deepEqual(script.seen, ['everyone a']);
});

test('a handler that throws', async () => {
  const script = new Script({});
  start(script, { onMessage: () => { throw new Error('mistake'); } });
  await open(script);
  script.socket.onmessage({ data: '{"messages":[{"id":"a"}]}' });
  await quiet();
  assert.deepEqual(script.told.map(({ message }) => message), ['mistake']);
});

test('a WebSocket that cannot be made', async () => {
  const script = new Script({});
  const { WebSocket } = script.parts;
  script.parts.WebSocket = class { constructor() { throw new Error('a bad URL'); } };
  const client = start(script);
  await quiet();
  assert.deepEqual(script.told.map(({ message }) => message), ['a bad URL']);
  script.parts.WebSocket = WebSocket;
  await script.clock.pass(250);
  client.close();
});
