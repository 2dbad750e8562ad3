import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import type { Upstream } from '../../ports/model-gateway.ts';
import { type Answer, type GatewayFixture, gatewayFixture } from './fixture/gateway-fixture.ts';

const GEMINI = { api: 'gemini' } as const;

function fails(response: ServerResponse, quotaId: string): void {
  const violations = [{ '@type': 'x', quotaId }];
  const details = [
    { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1s' },
  ];
  response.writeHead(429, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { code: 429, message: 'No.', status: 'RESOURCE_EXHAUSTED', details } }));
}

const daily =
  (quotaId: string): Answer =>
  (_arrived, response) =>
    fails(response, quotaId);

function asks(at: GatewayFixture, model: string) {
  return at.ask({
    path: `/v1/models/${model}:generateContent`,
    headers: { 'x-goog-api-key': at.token },
    body: '{"contents":[]}',
  });
}

test('a day’s quota of one model is told as that model’s, a day’s quota of the project as everybody’s', async () => {
  await using one = await gatewayFixture(daily('GenerateRequestsPerDayPerProjectPerModel'), { endpoint: GEMINI });
  const answered = await asks(one, 'pro');
  expect(answered.status).toBe(402);
  expect(answered.text).toContain(' for pro ');
  expect(one.meter.pauses).toMatchObject([{ kind: 'quota', credential: 'THE_KEY', model: 'pro' }]);
  expect(one.meter.spent).toMatchObject([{ credential: 'THE_KEY', model: 'pro' }]);
  await using all = await gatewayFixture(daily('GenerateRequestsPerDayPerProject'), { endpoint: GEMINI });
  expect((await asks(all, 'pro')).text).not.toContain(' for pro ');
  expect(all.meter.pauses).toMatchObject([{ kind: 'quota', credential: 'THE_KEY' }]);
  expect([all.meter.pauses[0]?.model, all.meter.spent[0]?.model]).toEqual([undefined, undefined]);
});

test('a minute’s limit of one model has only requests for that one wait', async () => {
  let count = 0;
  await using at = await gatewayFixture(
    (_arrived, response) =>
      (count += 1) === 1
        ? fails(response, 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier')
        : void response.end('{}'),
    { endpoint: GEMINI },
  );
  expect((await asks(at, 'pro')).status).toBe(200);
  expect(at.meter.pauses).toMatchObject([{ kind: 'rate-limit', model: 'pro' }]);
});

test('whoever admits a request is told which model it asks for, and says of which a quota is', async () => {
  const asked: Upstream[] = [];
  await using at = await gatewayFixture((_arrived, response) => void response.end('{}'), { endpoint: GEMINI });
  at.meter.admission = async (upstream) => {
    asked.push(upstream);
    if (upstream.model !== 'pro') return { kind: 'admitted' };
    return { kind: 'refused', refusal: { kind: 'quota', message: 'used up', until: 5, model: 'pro' } };
  };
  expect((await asks(at, 'pro')).status).toBe(402);
  expect((await asks(at, 'flash')).status).toBe(200);
  expect(asked.map(({ model }) => model)).toEqual(['pro', 'flash']);
  expect(at.meter.spent).toMatchObject([{ credential: 'THE_KEY', model: 'pro', until: 5 }]);
});
