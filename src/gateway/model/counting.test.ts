import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { waitUntil } from '../../lib/wait-until.ts';
import { type Answer, type GatewayFixture, gatewayFixture } from './fixture/gateway-fixture.ts';

/** What a call counts for, before its provider has said what it used and where it never does. */

const answers: Answer = (_arrived, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({
      model: 'known',
      output: [],
      usage: { input_tokens: 90_000, output_tokens: 5, total_tokens: 90_005 },
    }),
  );
};

const told = (at: GatewayFixture, count: number) =>
  waitUntil(async () => at.meter.calls.length === count, { timeoutMs: 5_000, what: `${count} calls to be told` });

const PNG = Buffer.alloc(3_000_000, 7).toString('base64');

test('a picture counts for some tokens from the start, a text of its length for all of it', async () => {
  await using at = await gatewayFixture(answers);
  const ask = (part: object) =>
    at.ask({ body: JSON.stringify({ model: 'known', input: [{ role: 'user', content: [part] }] }) });
  await ask({ type: 'input_image', image_url: `data:image/png;base64,${PNG}` });
  await ask({ type: 'input_text', text: `data:image/png;base64,${PNG}` });
  const [picture, text] = at.meter.soFar.filter(({ estimated }) => estimated).map(({ tokens }) => tokens.input);
  expect(picture).toBeGreaterThan(1_000);
  expect(picture).toBeLessThan(3_000);
  expect(text).toBeGreaterThan(PNG.length / 4);
});

test('a call that is known to be too much is refused, not sent, and has used nothing; a smaller one is sent', async () => {
  await using at = await gatewayFixture(answers);
  at.meter.most = 100_000;
  const answered = await at.ask({ body: JSON.stringify({ model: 'known', input: 'word '.repeat(175_000) }) });
  expect(answered.status).toBe(400);
  expect(answered.text).toContain('all is spent');
  expect(at.arrived).toEqual([]);
  expect(at.meter.calls).toMatchObject([{ status: null, outcome: 'failed', tokens: null, cost: null }]);
  expect((await at.ask()).status).toBe(200);
  expect(at.arrived).toHaveLength(1);
});

test('a request counts for as much when it is compressed, whether it is rewritten or not', async () => {
  for (const endpoint of [{}, { models: ['known'] }]) {
    await using at = await gatewayFixture(answers, { endpoint });
    const body = JSON.stringify({ model: 'known', input: 'word '.repeat(40_000) });
    await at.ask({ body });
    await at.ask({
      headers: { authorization: `Bearer ${at.token}`, 'content-encoding': 'gzip' },
      body: gzipSync(body),
    });
    const [plain, packed] = at.meter.soFar.filter(({ estimated }) => estimated);
    expect(plain?.tokens.input).toBe(Math.ceil(body.length / 4));
    expect(packed?.tokens).toEqual(plain?.tokens);
  }
});

test('what the model has read before is priced as out of a cache, what is new is not, nor is a conversation that only looks old', async () => {
  await using at = await gatewayFixture(answers, {
    price: (_model, { input, cached }) => (input - cached + cached / 10) / 1_000_000,
  });
  const [first, more] = ['word '.repeat(40_000), 'more '.repeat(4_000)];
  const body = JSON.stringify({
    model: 'known',
    input: [
      { role: 'user', content: first },
      { role: 'assistant', content: 'Yes.' },
      { role: 'user', content: more },
    ],
  });
  await at.ask({ body });
  await told(at, 1);
  await at.ask({ body });
  const [looksOld, isOld] = at.meter.soFar.filter(({ estimated }) => estimated);
  expect(looksOld?.tokens.cached).toBe(0);
  expect(isOld?.tokens.input).toBe(looksOld?.tokens.input);
  const fresh = (isOld?.tokens.input ?? 0) - (isOld?.tokens.cached ?? 0);
  expect(Math.abs(fresh - more.length / 4)).toBeLessThan(50);
  expect(isOld?.cost).toBeLessThan((looksOld?.cost ?? 0) / 4);
});
