// What only concerns the client in JavaScript.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connect } from './index.js';
import { Script, quiet } from './script.mjs';

function start(script, options = {}) {
  const onError = (error) => script.told.push(error);
  return connect({ url: 'ws://localhost', onMessage: (event) => script.see(event), onError, ...options }, script.parts);
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
  const content = 'y'.repeat((32 << 10) - '{"action":"sendMessage","content":"","ref":"","again":true}'.length - 100);
  await assert.rejects(client.send({ content, ref: 'r'.repeat(101) }), { code: 'too_large' });
  client.send({ content, ref: 'r'.repeat(100), again: true });
  assert.equal(JSON.stringify(script.socket.written[2]).length, 32 << 10);
});

test('refs that are none', async () => {
  const script = new Script({});
  const client = start(script);
  await open(script);
  const content = 'a';
  for (const ref of ['', 7, null, '\ud800', 'a\udc00b']) {
    await assert.rejects(client.send({ content, ref, again: true }), { code: 'invalid_ref' });
  }
  for (const again of ['true', 1, null]) {
    await assert.rejects(client.send({ content, ref: 'r', again }), { code: 'invalid_again' });
  }
  client.send({ content, ref: '\u{1f600}' });
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

test('options that are undefined', async () => {
  const script = new Script({});
  const none = undefined;
  const client = start(script, { maxSends: none, timeout: none, onError: none, rooms: none, token: none });
  await open(script);
  const sent = client.send({ content: 'a' });
  assert.equal(script.socket.written.length, 2);
  await script.clock.pass(29_900);
  assert.equal(script.socket.closed, false);
  await Promise.all([script.clock.pass(100), assert.rejects(sent, { code: 'unanswered' })]);
});

test('a content that cannot be sent', async () => {
  const client = start(new Script({}));
  const circle = {};
  circle.circle = circle;
  for (const content of [circle, 1n, undefined, () => {}]) await assert.rejects(client.send({ content }), TypeError);
});

test('a content that changes after it was sent', async () => {
  const script = new Script({});
  const client = start(script);
  const content = { n: 1 };
  client.send({ content });
  content.n = content;
  await open(script);
  assert.deepEqual(script.socket.written[1].content, { n: 1 });
});

// provider hands out tokens when the test says so.
function provider() {
  const waiting = [];
  return { token: () => new Promise((resolve) => { waiting.push(resolve); }), waiting };
}

test('a token that comes too late', async () => {
  const script = new Script({ tokens: [['late', 3600], ['new', 3600]] });
  const { token, waiting } = provider();
  start(script, { token });
  await script.clock.pass(30_250);
  assert.equal(waiting.length, 2);
  waiting[1](script.tokens.new);
  await open(script, 'new');
  waiting[0](script.tokens.late);
  await quiet();
  script.socket.onclose({ code: 1001 });
  await script.clock.pass(500);
  script.dialed('new');
});

test('a renewal that takes too long', async () => {
  const script = new Script({ tokens: [['t1', 180], ['late', 3600], ['t2', 3600]] });
  const { token, waiting } = provider();
  start(script, { token });
  waiting[0](script.tokens.t1);
  await open(script, 't1');
  const { ref } = script.socket.written.shift();
  script.socket.onmessage({ data: JSON.stringify({ error: { code: 'no_history', ref } }) });
  await script.clock.pass(150_000);
  assert.deepEqual(script.told.map(({ message }) => message), ['token: none in time']);
  waiting[1](script.tokens.late);
  await script.clock.pass(10_000);
  waiting[2](script.tokens.t2);
  await quiet();
  assert.deepEqual(script.socket.written.map((request) => request.token), [script.tokens.t2]);
});

// browser has a client in a page, which has connected.
async function browser() {
  const script = new Script({});
  const page = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  Object.assign(script.parts, { page, document });
  const client = start(script);
  await open(script);
  const { ref } = script.socket.written.shift();
  script.socket.onmessage({ data: JSON.stringify({ resumed: { everyone: { position: 'k.5' } }, ref }) });
  return { script, page, document, client };
}

test('a page that is shown finds out whether its connection is dead', async () => {
  const { script, document, client } = await browser();
  document.visibilityState = 'hidden';
  document.dispatchEvent(new Event('visibilitychange'));
  assert.deepEqual(script.socket.written, []);
  document.visibilityState = 'visible';
  document.dispatchEvent(new Event('visibilitychange'));
  document.dispatchEvent(new Event('visibilitychange'));
  assert.deepEqual(script.socket.written.map(({ action }) => action), ['resume']);
  await script.clock.pass(30_000);
  assert.equal(script.socket.closed, true);
  client.close();
  await quiet();
  document.dispatchEvent(new Event('visibilitychange'));
  await quiet();
  assert.equal(script.dials.length, 0);
});

test('a page that is online again connects at once', async () => {
  const { script, page } = await browser();
  script.socket.onclose({ code: 1006 });
  page.dispatchEvent(new Event('online'));
  page.dispatchEvent(new Event('online'));
  await script.clock.pass(1_000);
  assert.equal(script.dials.length, 1);
});
