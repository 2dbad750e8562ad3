import { expect, test } from 'vitest';
import { gatewayFixture } from './fixture/gateway-fixture.ts';
import { modelsNamedIn } from './named-models.ts';

const advisor = { type: 'advisor_20260301', name: 'advisor', model: 'dear' };

test.each([
  ['model', { model: 'known' }, ['known']],
  ['a list of models', { model: 'known', models: ['known', 'dear'] }, ['known', 'dear']],
  ['models as a text', { models: 'dear' }, ['dear']],
  ['a name that is written otherwise', { Model: 'dear' }, ['dear']],
  ['what answers instead', { fallbacks: [{ model: 'dear' }], fallback_model: 'other' }, ['other', 'dear']],
  ['what answers instead, by names alone', { fallbacks: ['dear'] }, ['dear']],
  ['a tool', { tools: [advisor] }, ['dear']],
  ['what a tool is set to', { tools: [{ type: 'openrouter:advisor', parameters: { model: 'dear' } }] }, ['dear']],
  ['options of a provider', { providerOptions: { gateway: { models: ['dear'] } } }, ['dear']],
] as const)('a model is named by %s', (_where, body, names) => {
  expect([...modelsNamedIn(body)].sort()).toEqual([...names].sort());
});

test('what is said in the conversation, and what the arguments of a tool may be, names none', () => {
  const schema = { type: 'object', properties: { model: { enum: ['dear'], default: 'dear', model: 'dear' } } };
  const said = [{ role: 'user', content: [{ type: 'tool_use', input: { model: 'dear' } }] }];
  const body = {
    model: 'known',
    messages: said,
    input: said,
    contents: said,
    tools: [
      { name: 'task', input_schema: schema, input_examples: [{ model: 'dear' }] },
      { type: 'function', function: { name: 'task', parameters: schema } },
      { functionDeclarations: [{ name: 'task', parametersJsonSchema: { model: 'dear' } }] },
    ],
    text: { format: { type: 'json_schema', schema: { model: 'dear' } } },
    model_reasoning_effort: 'high',
  };
  expect(modelsNamedIn(body)).toEqual(['known']);
});

test('a body of many parts within each other is looked through to its end', () => {
  const depth = 100_000;
  const body = JSON.parse(`{"x":${'['.repeat(depth)}{"model":"dear"}${']'.repeat(depth)}}`) as Record<string, unknown>;
  expect(modelsNamedIn(body)).toEqual(['dear']);
});

test('where models are bounded, each that a request names has to be among them; elsewhere none has', async () => {
  const answers = (_arrived: unknown, response: { end: (text: string) => void }) =>
    response.end('{"model":"known","output":[],"usage":{"input_tokens":10,"output_tokens":5}}');
  await using bounded = await gatewayFixture(answers, { endpoint: { models: ['known', 'small-*'] } });
  const statuses = async (body: object, at = bounded) => (await at.ask({ body: JSON.stringify(body) })).status;
  expect(await statuses({ model: 'known', models: ['known', 'dear'] })).toBe(400);
  expect(await statuses({ model: 'known', tools: [advisor] })).toBe(400);
  expect(bounded.arrived).toEqual([]);
  expect(bounded.meter.refusals[0]).toContain('"dear"');
  expect(await statuses({ model: 'known', models: ['known', 'small-1'] })).toBe(200);
  expect(await statuses({ model: 'known', tools: [{ ...advisor, model: 'small-2' }] })).toBe(200);
  await using open = await gatewayFixture(answers);
  expect(await statuses({ model: 'known', tools: [advisor] }, open)).toBe(200);
});

test('a model of Gemini may be named in the body as well, as in the path or as a resource', async () => {
  await using at = await gatewayFixture((_arrived, response) => void response.end('{}'), {
    endpoint: { api: 'gemini', models: ['known'] },
  });
  const statuses = async (body: object) =>
    (
      await at.ask({
        path: '/v1/models/known:generateContent',
        headers: { 'x-goog-api-key': at.token },
        body: JSON.stringify(body),
      })
    ).status;
  expect(await statuses({ contents: [], model: 'models/known' })).toBe(200);
  expect(await statuses({ contents: [], model: 'models/dear' })).toBe(403);
});
