import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { waitUntil } from '../../lib/wait-until.ts';
import { type Answer, gatewayFixture, KEY } from './fixture/gateway-fixture.ts';

/** What an agent may send that is not what it looks like, and an upstream may answer. */

const answers: Answer = (_arrived, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ model: 'known', output: [], usage: { input_tokens: 10, output_tokens: 5 } }));
};

test('a body of more parts than any conversation has is refused, one of the same length is not', async () => {
  await using at = await gatewayFixture(answers);
  const headers = { authorization: `Bearer ${at.token}`, 'content-encoding': 'gzip' };
  const parts = gzipSync(`{"model":"known","input":[${'[],'.repeat(600_000)}1]}`);
  expect((await at.ask({ headers, body: parts })).status).toBe(400);
  const text = gzipSync(JSON.stringify({ model: 'known', input: 'abc'.repeat(600_000) }));
  expect((await at.ask({ headers, body: text })).status).toBe(200);
  expect(at.arrived).toHaveLength(1);
});

test('requests that are too large together are put off, and the room is there again after them', async () => {
  const held = Promise.withResolvers<void>();
  await using at = await gatewayFixture(async (arrived, response) => {
    await held.promise;
    await answers(arrived, response);
  });
  const body = JSON.stringify({ model: 'known', input: 'a'.repeat(31 * 2 ** 20) });
  const all = [1, 2, 3].map(() => at.ask({ body }));
  await waitUntil(async () => at.arrived.length === 3, { timeoutMs: 20_000, what: 'three requests to arrive' });
  const fourth = await at.ask({ body }).catch((error: NodeJS.ErrnoException) => error.code);
  expect(typeof fourth === 'object' ? fourth.status : 429).toBe(429);
  held.resolve();
  expect((await Promise.all(all)).map(({ status }) => status)).toEqual([200, 200, 200]);
  expect((await at.ask({ body })).status).toBe(200);
}, 60_000);

test('an answer in the background is not asked for, and a model’s name is no longer than one is', async () => {
  await using at = await gatewayFixture(answers);
  expect((await at.ask({ body: '{"model":"known","background":true}' })).status).toBe(400);
  expect((await at.ask({ body: JSON.stringify({ model: 'x'.repeat(300) }) })).status).toBe(400);
  expect((await at.ask({ body: '{"model":"known","background":false}' })).status).toBe(200);
  expect(at.arrived).toHaveLength(1);
  expect(at.meter.refusals.every((text) => text.length < 200)).toBe(true);
});

test('where models are bounded, none is named by a field that only some upstreams would take for it', async () => {
  await using at = await gatewayFixture(answers, { endpoint: { models: ['known'] } });
  expect((await at.ask({ body: '{"model":"known","Model":"other"}' })).status).toBe(400);
  expect((await at.ask({ body: '{"model":"known","models":"other"}' })).status).toBe(400);
  expect((await at.ask({ body: '{"model":"known","modalities":"kept"}' })).status).toBe(200);
  expect(at.arrived).toHaveLength(1);
});

test('parameters that hold a key, or lead to an answer that cannot be counted, are left out; others go on', async () => {
  await using at = await gatewayFixture(answers);
  await at.ask({
    path: '/v1/responses?KEY=a&%24key=b&oauth_token=c&fields=d&alt=proto&%24alt=proto&beta=true&alt=sse&callback=e&%24.callback=f',
  });
  expect(at.arrived[0]?.path).toBe('/v1/responses?beta=true&alt=sse');
});

test('what of an answer is asked for, and how it is coded, is not for a client of Gemini to say; other headers go on', async () => {
  await using at = await gatewayFixture(answers, { endpoint: { api: 'gemini' } });
  await at.ask({
    path: '/v1/models/known:generateContent',
    headers: {
      'x-goog-api-key': at.token,
      'X-Goog-FieldMask': 'candidates(content)',
      'X-Goog-Encode-Response-If-Executable': 'base64',
      'X-Goog-Api-Client': 'kept',
    },
  });
  const { headers } = at.arrived[0] ?? {};
  expect(headers).toMatchObject({ 'x-goog-api-key': KEY, 'x-goog-api-client': 'kept' });
  expect(headers).not.toHaveProperty('x-goog-fieldmask');
  expect(headers).not.toHaveProperty('x-goog-encode-response-if-executable');
});

test('what is asked counts from the moment at which it is sent, and when the agent goes before any answer', async () => {
  await using at = await gatewayFixture(() => undefined);
  const body = JSON.stringify({ model: 'known', input: 'word '.repeat(2_000) });
  const headers = { authorization: `Bearer ${at.token}` };
  const { baseUrl = '' } = at.way.entry.endpoint ?? {};
  const leaving = new AbortController();
  const asked = fetch(`${baseUrl}/responses`, { method: 'POST', headers, body, signal: leaving.signal });
  await waitUntil(async () => at.arrived.length === 1, { timeoutMs: 5_000, what: 'the request to arrive' });
  expect(at.meter.soFar).toMatchObject([{ tokens: { input: Math.ceil(body.length / 4), output: 0 }, estimated: true }]);
  leaving.abort();
  await expect(asked).rejects.toThrow();
  await waitUntil(async () => at.meter.calls.length === 1, { timeoutMs: 5_000, what: 'the call to be told' });
  expect(at.meter.calls).toMatchObject([{ status: null, outcome: 'cut', estimated: true, model: 'known' }]);
  expect(at.meter.calls[0]?.tokens?.input).toBe(Math.ceil(body.length / 4));
});

test('of an answer that cannot be read its length is counted, and numbers that no call can have are not believed', async () => {
  await using unread = await gatewayFixture((_arrived, response) => {
    response.writeHead(200, { 'content-type': 'application/x-protobuf' });
    response.end(Buffer.alloc(4_000, 1));
  });
  await unread.ask();
  await waitUntil(async () => unread.meter.calls.length === 1, { timeoutMs: 5_000, what: 'the call to be told' });
  expect(unread.meter.calls).toMatchObject([{ tokens: { output: 1_000 }, estimated: true }]);
  await using wrong = await gatewayFixture((_arrived, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"model":"known","output":[],"usage":{"input_tokens":-5,"output_tokens":9007199254740991}}');
  });
  await wrong.ask();
  await waitUntil(async () => wrong.meter.calls.length === 1, { timeoutMs: 5_000, what: 'the call to be told' });
  const { tokens } = wrong.meter.calls[0] ?? {};
  expect(tokens?.input).toBeGreaterThan(0);
  expect(tokens?.output).toBeLessThan(1_000);
});
