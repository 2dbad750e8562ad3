import { expect, test } from 'vitest';
import { NO_TOKENS } from '../../domain/model-call.ts';
import { waitUntil } from '../../lib/wait-until.ts';
import { type Answer, gatewayFixture } from './fixture/gateway-fixture.ts';
import { atTier, costOf, type Price } from './price-of-call.ts';

const PRICES: Readonly<Record<string, number>> = { known: 1, dear: 10, 'known+priority': 2, 'known+fast': 3 };
const price: Price = (model, { input, output }, tier) => {
  const each = PRICES[atTier(model, tier)];
  return each === undefined ? undefined : (each * (input + output)) / 1_000_000;
};
const tokens = { ...NO_TOKENS, input: 900_000, output: 100_000 };
const advice = { ...NO_TOKENS, input: 80_000, output: 20_000 };

test('what another model has used costs what that one does, and the rest what the model does', () => {
  const elsewhere = [{ model: 'dear', tokens: advice }];
  expect(costOf(price, { model: 'known', tier: undefined, tokens, elsewhere })).toBeCloseTo(0.9 + 1, 12);
  expect(costOf(price, { model: 'known', tier: undefined, tokens })).toBe(1);
});

test('where one of several models has no price, nobody knows what it costs', () => {
  const elsewhere = [{ model: 'new', tokens: advice }];
  expect(costOf(price, { model: 'known', tier: undefined, tokens, elsewhere })).toBeNull();
  expect(costOf(price, { model: 'new', tier: undefined, tokens })).toBeNull();
  expect(costOf(price, { model: undefined, tier: undefined, tokens })).toBeNull();
});

test('a dearer tier costs what is known of it, and is never taken for the ordinary one', () => {
  expect(costOf(price, { model: 'known', tier: 'priority', tokens })).toBe(2);
  expect(costOf(price, { model: 'known', tier: 'of-tomorrow', tokens })).toBeNull();
});

async function calledWith(
  body: object,
  answer: Answer,
  endpoint: NonNullable<Parameters<typeof gatewayFixture>[1]>['endpoint'] = {},
) {
  await using at = await gatewayFixture(answer, { price, endpoint });
  const path = { anthropic: '/v1/messages', chat: '/v1/chat/completions' }[endpoint.api as string] ?? '/v1/responses';
  const { status, text } = await at.ask({ path, body: JSON.stringify({ model: 'known', ...body }) });
  if (at.arrived.length === 0) return { status, text, refusals: at.meter.refusals, call: undefined };
  await waitUntil(async () => at.meter.calls.length === 1, { what: 'the call to be told', timeoutMs: 5_000 });
  return { status, text, refusals: at.meter.refusals, call: at.meter.calls[0] };
}

const says =
  (answer: object): Answer =>
  (_arrived, response) =>
    void response.end(JSON.stringify({ model: 'known', ...answer }));
const USAGE = { input_tokens: 900_000, output_tokens: 100_000 };

test('a tier counts as it was given, whatever was asked for', async () => {
  const priority = says({ output: [], usage: USAGE, service_tier: 'priority' });
  expect((await calledWith({ service_tier: 'auto' }, priority)).call).toMatchObject({
    model: 'known+priority',
    cost: 2,
  });
  const ordinary = says({ output: [], usage: USAGE, service_tier: 'default' });
  expect((await calledWith({ service_tier: 'priority' }, ordinary)).call).toMatchObject({ model: 'known', cost: 1 });
});

test('where the answer does not say what tier it was, the one that was asked for counts', async () => {
  const silent = says({ output: [], usage: USAGE });
  expect((await calledWith({ service_tier: 'priority' }, silent)).call).toMatchObject({
    model: 'known+priority',
    cost: 2,
  });
  expect((await calledWith({ service_tier: 'flex' }, silent)).call).toMatchObject({ model: 'known', cost: 1 });
  expect((await calledWith({}, silent)).call).toMatchObject({ model: 'known', cost: 1 });
  const nothing = says({ choices: [], usage: { prompt_tokens: 900_000, completion_tokens: 100_000 } });
  const chat = await calledWith({ service_tier: 'priority' }, nothing, { api: 'chat' });
  expect(chat.call).toMatchObject({ model: 'known+priority', cost: 2 });
});

test('Anthropic’s speed is a tier', async () => {
  const message = { type: 'message', content: [], stop_reason: 'end_turn' };
  const fast = says({ ...message, usage: { ...USAGE, speed: 'fast', service_tier: 'standard' } });
  const api = { api: 'anthropic' } as const;
  expect((await calledWith({ speed: 'fast' }, fast, api)).call).toMatchObject({ model: 'known+fast', cost: 3 });
  const standard = says({ ...message, usage: { ...USAGE, speed: 'standard', service_tier: 'priority' } });
  expect((await calledWith({ speed: 'fast' }, standard, api)).call).toMatchObject({ model: 'known', cost: 1 });
});

test('a dearer tier of unknown price is given for an unknown cost, and not let through where it is asked for', async () => {
  const tomorrow = says({ output: [], usage: USAGE, service_tier: 'Of Tomorrow' });
  expect((await calledWith({}, tomorrow)).call).toMatchObject({ model: 'known+of_tomorrow', cost: null });
  const refused = await calledWith({ service_tier: 'of_tomorrow' }, tomorrow);
  expect(refused).toMatchObject({ status: 400, call: undefined });
  expect(refused.text).toContain('known+of_tomorrow');
  expect(refused.refusals).toHaveLength(1);
  // Of such a model nobody knows anything: that bounds nothing more.
  expect((await calledWith({ model: 'new', service_tier: 'of_tomorrow' }, tomorrow)).status).toBe(200);
});

test('advice of another model is paid for at its own price', async () => {
  const iterations = [
    { type: 'message', ...USAGE },
    { type: 'advisor_message', model: 'dear', input_tokens: 80_000, output_tokens: 20_000 },
  ];
  const advised = says({ type: 'message', content: [], stop_reason: 'end_turn', usage: { ...USAGE, iterations } });
  const { call } = await calledWith({}, advised, { api: 'anthropic' });
  expect(call).toMatchObject({ model: 'known', tokens: { input: 980_000, output: 120_000 } });
  expect(call?.cost).toBeCloseTo(2, 12);
});
