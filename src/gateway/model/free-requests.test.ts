import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { type GatewayFixture, gatewayFixture, KEY } from './fixture/gateway-fixture.ts';

/** Limits of requests that cost nothing, such as counts of tokens, are their own. */

const ENDPOINT = { api: 'anthropic' } as const;
const countTokens = (at: GatewayFixture) =>
  at.ask({
    path: '/v1/messages/count_tokens',
    headers: { 'x-api-key': at.token },
    body: JSON.stringify({ model: 'known', messages: [] }),
  });
const callModel = (at: GatewayFixture) =>
  at.ask({
    path: '/v1/messages',
    headers: { 'x-api-key': at.token },
    body: JSON.stringify({ model: 'known', messages: [] }),
  });

const fails =
  (status: number, error: object, headers: Readonly<Record<string, string>> = {}) =>
  (_arrived: unknown, response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ type: 'error', error }));
  };

const RATE_LIMITED = fails(429, { type: 'rate_limit_error', message: 'slow down' }, { 'retry-after': '120' });
const USED_UP = fails(400, {
  type: 'invalid_request_error',
  message: 'Your credit balance is too low to access the Anthropic API.',
});

test('a rate limit of theirs holds up nothing else; one of a call does', async () => {
  await using at = await gatewayFixture(RATE_LIMITED, { endpoint: ENDPOINT });
  expect((await countTokens(at)).text).toContain('slow down');
  expect(at.meter.pauses).toEqual([]);
  expect((await callModel(at)).text).toContain('slow down');
  expect(at.meter.pauses).toMatchObject([{ kind: 'rate-limit', credential: 'THE_KEY' }]);
});

test('a quota that is used up for them parks nothing, and the next key is asked; that of a call does', async () => {
  await using at = await gatewayFixture(USED_UP, { endpoint: { ...ENDPOINT, spareKeys: [{ env: 'SPARE_KEY' }] } });
  expect((await countTokens(at)).status).toBeGreaterThanOrEqual(400);
  expect(at.arrived.map(({ headers }) => headers['x-api-key'])).toEqual([KEY, `${KEY}-spare`]);
  expect([at.meter.pauses, at.meter.spent]).toEqual([[], []]);
  expect((await callModel(at)).status).toBeGreaterThanOrEqual(400);
  expect(at.meter.pauses).toMatchObject([{ kind: 'quota' }, { kind: 'quota' }]);
  expect(at.meter.spent).toHaveLength(1);
});
