import { expect, test } from 'vitest';
import { waitUntil } from '../../../lib/wait-until.ts';
import { type Arrived } from '../fixture/gateway-fixture.ts';
import { isSignedBy, signatureOf } from './fixture/aws-signature.ts';
import {
  answers,
  ID,
  options,
  REGION,
  SECRET,
  SESSION,
  SIGNED_IN,
  STREAM,
  streams,
} from './fixture/bedrock-fixture.ts';
import {
  asServerSent,
  CLOUD_MODEL,
  cloudFixture,
  cloudless,
  EVENTS,
  json,
  MODEL,
  WHOLE,
} from './fixture/cloud-fixture.ts';
import { chunk } from './fixture/event-stream.ts';

test('a signature as AWS has published it is worked out here alike', () => {
  const headers = {
    host: 'example.amazonaws.com',
    'my-header1': 'value2,value2,value1',
    'x-amz-date': '20150830T123600Z',
  };
  const published =
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;my-header1;x-amz-date, Signature=c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea';
  const found = signatureOf({ method: 'GET', target: '/', headers, body: '' }, SECRET, published);
  expect(published).toContain(`Signature=${found}`);
});

test('a message is asked for in Bedrock’s form, signed by this machine’s identity, with nothing of the client’s', async () => {
  await using _env = await cloudless(SIGNED_IN);
  await using at = await cloudFixture(answers(200, WHOLE), options);
  const answered = await at.message(
    {},
    {
      headers: {
        'x-api-key': at.token,
        'anthropic-version': '2023-06-01',
        'anthropic-beta': 'context-1m-2025-08-07, fine-grained-tool-streaming-2025-05-14',
        'x-amz-security-token': 'mine',
        'x-amz-target': 'mine',
        cookie: 'a=b',
      },
    },
  );
  expect(answered).toMatchObject({ status: 200, text: JSON.stringify(WHOLE) });
  const [arrived] = at.arrived as [Arrived];
  expect(arrived).toMatchObject({ method: 'POST', path: `/model/${encodeURIComponent(CLOUD_MODEL)}/invoke` });
  expect(JSON.parse(arrived.body)).toEqual({
    max_tokens: 100,
    messages: [{ role: 'user', content: 'Hi' }],
    anthropic_version: 'bedrock-2023-05-31',
    anthropic_beta: ['context-1m-2025-08-07', 'fine-grained-tool-streaming-2025-05-14'],
  });
  expect(isSignedBy(arrived, { id: ID, secret: SECRET, region: REGION })).toBe(true);
  expect(isSignedBy({ ...arrived, body: `${arrived.body} ` }, { id: ID, secret: SECRET, region: REGION })).toBe(false);
  expect(isSignedBy(arrived, { id: ID, secret: 'another', region: REGION })).toBe(false);
  expect(Object.keys(arrived.headers).toSorted()).toEqual([
    'accept',
    'accept-encoding',
    'authorization',
    'connection',
    'content-length',
    'content-type',
    'host',
    'x-amz-content-sha256',
    'x-amz-date',
    'x-amz-security-token',
  ]);
  expect(arrived.headers['x-amz-security-token']).toBe(SESSION);
  expect(JSON.stringify(at.arrived)).not.toContain(at.token);
  const seen = JSON.stringify([at.way.entry, at.way.env, answered, at.meter]);
  for (const secret of [SECRET, SESSION, ID]) expect(seen).not.toContain(secret);
  expect(at.way.entry.endpoint).not.toHaveProperty('cloud');
});

test('a stream comes out as the protocol’s own, each event when it comes, and is counted and priced', async () => {
  await using _env = await cloudless(SIGNED_IN);
  const seen = EVENTS.map(() => Promise.withResolvers<void>());
  await using at = await cloudFixture(async (_arrived, response) => {
    response.writeHead(200, { 'content-type': STREAM });
    for (const [index, event] of EVENTS.entries()) {
      response.write(chunk(event));
      await seen[index]?.promise;
    }
    response.end();
  }, options);
  let count = 0;
  const answered = await at.message(
    { stream: true },
    {
      onPiece(text) {
        for (const _event of text.matchAll(/^event: /gm)) seen[count++]?.resolve();
        return undefined;
      },
    },
  );
  expect(answered).toMatchObject({ status: 200, text: asServerSent(EVENTS), wasCut: false });
  expect(answered.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  expect(at.arrived[0]?.path).toBe(`/model/${encodeURIComponent(CLOUD_MODEL)}/invoke-with-response-stream`);
  expect(JSON.parse(at.arrived[0]?.body ?? '')).not.toHaveProperty('stream');
  expect(isSignedBy(at.arrived[0] as Arrived, { id: ID, secret: SECRET, region: REGION })).toBe(true);
  await waitUntil(async () => at.meter.calls.length === 1, { what: 'the call to be told', timeoutMs: 5_000 });
  expect(at.meter.calls).toMatchObject([
    {
      api: 'anthropic',
      host: at.host,
      credential: 'aws',
      model: MODEL,
      outcome: 'answered',
      tokens: { input: 1000, output: 50 },
      estimated: false,
      cost: (4 * 1000 + 20 * 50) / 1_000_000,
    },
  ]);
});

test('messages of a stream may be cut anywhere, and come many at a time', async () => {
  await using _env = await cloudless(SIGNED_IN);
  const bytes = Buffer.concat(EVENTS.map((event) => chunk(event)));
  await using at = await cloudFixture(async (_arrived, response) => {
    response.writeHead(200, { 'content-type': STREAM });
    for (let from = 0; from < bytes.length; from += 7) {
      response.write(bytes.subarray(from, from + 7));
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  }, options);
  expect(await at.message({ stream: true })).toMatchObject({ text: asServerSent(EVENTS), wasCut: false });
  await using whole = await cloudFixture(streams(bytes), options);
  expect(await whole.message({ stream: true })).toMatchObject({ text: asServerSent(EVENTS), wasCut: false });
});

test('a cloud’s name for a model is priced as the model, and an unknown one as that which was asked for', async () => {
  await using _env = await cloudless(SIGNED_IN);
  let told = CLOUD_MODEL;
  await using at = await cloudFixture((_arrived, response) => json(200, { ...WHOLE, model: told })(response), options);
  await at.message();
  told = 'arn:aws:bedrock:eu-west-1:123:application-inference-profile/abc';
  await at.message();
  await at.message({ model: 'claude-other' });
  await waitUntil(async () => at.meter.calls.length === 3, { what: 'the calls to be told', timeoutMs: 5_000 });
  const cost = (4 * 1000 + 20 * 50) / 1_000_000;
  expect(at.meter.calls.map((call) => call.cost)).toEqual([cost, cost, null]);
});

test('only the models that are allowed may be asked for, by the name that the agent uses', async () => {
  await using _env = await cloudless(SIGNED_IN);
  await using at = await cloudFixture(answers(200, WHOLE), { endpoint: { ...options.endpoint, models: [MODEL] } });
  expect((await at.message()).status).toBe(200);
  expect((await at.message({ model: CLOUD_MODEL })).status).toBe(405);
  expect(at.arrived).toHaveLength(1);
});

test('a stream is cut when it has used what there is', async () => {
  await using _env = await cloudless(SIGNED_IN);
  await using at = await cloudFixture(async (_arrived, response) => {
    response.writeHead(200, { 'content-type': STREAM });
    response.write(chunk(EVENTS[0]));
    const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'word '.repeat(20) } };
    for (let n = 0; n < 2_000 && !response.destroyed; n++) {
      response.write(chunk(delta));
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end(chunk({ type: 'message_stop' }));
  }, options);
  at.meter.most = 1_500;
  const answered = await at.message({ stream: true });
  expect(answered.wasCut).toBe(true);
  expect(answered.text).not.toContain('message_stop');
  await waitUntil(async () => at.meter.calls.length === 1, { what: 'the call to be told', timeoutMs: 5_000 });
  expect(at.meter.calls).toMatchObject([{ outcome: 'cut', estimated: true, model: MODEL }]);
});

test('tokens are counted by Bedrock where it can, for the model itself', async () => {
  await using _env = await cloudless(SIGNED_IN);
  await using at = await cloudFixture(answers(200, { inputTokens: 42 }), options);
  const body = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'Hi' }] });
  const answered = await at.ask({
    path: '/v1/messages/count_tokens',
    headers: { 'x-api-key': at.token },
    body,
  });
  expect(answered).toMatchObject({ status: 200, text: '{"input_tokens":42}' });
  expect(at.arrived[0]?.path).toBe('/model/anthropic.claude-opus-5-5-v1%3A0/count-tokens');
  const { input } = JSON.parse(at.arrived[0]?.body ?? '') as { input: { invokeModel: { body: string } } };
  expect(JSON.parse(Buffer.from(input.invokeModel.body, 'base64').toString())).toMatchObject({
    max_tokens: 1,
    anthropic_version: 'bedrock-2023-05-31',
  });
  expect(at.meter.calls).toEqual([]);
});

test('what is no name of a model leads to no other path', async () => {
  await using _env = await cloudless(SIGNED_IN);
  await using at = await cloudFixture(answers(200, WHOLE), options);
  for (const model of ['..', '.', '', '%2e%2e', '/x']) expect((await at.message({ model })).status).toBe(405);
  expect(at.arrived).toEqual([]);
  expect((await at.message({ model: 'a/../../b?c#d' })).status).toBe(200);
  expect(at.arrived[0]?.path).toBe('/model/a%2F..%2F..%2Fb%3Fc%23d/invoke');
  expect(isSignedBy(at.arrived[0] as Arrived, { id: ID, secret: SECRET, region: REGION })).toBe(true);
});

test('what Bedrock has nothing for is answered here, and is nothing to warn of', async () => {
  await using _env = await cloudless(SIGNED_IN);
  await using at = await cloudFixture(answers(200, WHOLE), options);
  for (const path of ['/', '/v1/models']) {
    const answered = await at.ask({ method: 'GET', path, headers: { 'x-api-key': at.token }, body: undefined });
    expect(answered.status).toBe(405);
  }
  expect(at.arrived).toEqual([]);
  expect(at.meter.refusals).toEqual([]);
});
