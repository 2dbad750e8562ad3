import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { waitUntil } from '../../../lib/wait-until.ts';
import { type Arrived } from '../fixture/gateway-fixture.ts';
import { answers, options, SESSION, SIGNED_IN, STREAM, streams } from './fixture/bedrock-fixture.ts';
import { asServerSent, cloudFixture, cloudless, EVENTS, json } from './fixture/cloud-fixture.ts';
import { chunk, exception } from './fixture/event-stream.ts';

test('throttling is waited for, whether it comes in place of the stream or as its first word', async () => {
  await using _env = await cloudless(SIGNED_IN);
  const turns: ((response: ServerResponse) => void)[] = [
    json(
      429,
      { message: 'Too many tokens, please wait before trying again.' },
      { 'x-amzn-errortype': 'ThrottlingException:http://internal' },
    ),
    (response) => void streams(exception('throttlingException', 'Too many requests.'))({} as Arrived, response),
    (response) => void streams(...EVENTS.map((event) => chunk(event)))({} as Arrived, response),
  ];
  await using at = await cloudFixture((_arrived, response) => turns.shift()?.(response), options);
  expect(await at.message({ stream: true })).toMatchObject({ status: 200, text: asServerSent(EVENTS) });
  expect(at.arrived).toHaveLength(3);
  await waitUntil(async () => at.meter.calls.length === 3, { what: 'the calls to be told', timeoutMs: 5_000 });
  expect(at.meter.calls.map(({ status, outcome }) => [status, outcome])).toEqual([
    [429, 'failed'],
    [429, 'failed'],
    [200, 'answered'],
  ]);
});

test('a failure in the middle of a stream is the protocol’s error', async () => {
  await using _env = await cloudless(SIGNED_IN);
  await using at = await cloudFixture(
    streams(chunk(EVENTS[0]), exception('modelStreamErrorException', 'The model broke.')),
    options,
  );
  const answered = await at.message({ stream: true });
  const error = { type: 'error', error: { type: 'api_error', message: 'The model broke.' } };
  expect(answered.text).toBe(asServerSent([EVENTS[0], error]));
  await waitUntil(async () => at.meter.calls.length === 1, { what: 'the call to be told', timeoutMs: 5_000 });
  expect(at.meter.calls).toMatchObject([{ outcome: 'failed' }]);
});

test('a stream that has changed on its way, or ends within a message, is broken off', async () => {
  await using _env = await cloudless(SIGNED_IN);
  const changed = chunk(EVENTS[1]);
  changed[changed.length - 20] = 0x21;
  for (const broken of [changed, chunk(EVENTS[1]).subarray(0, -3), Buffer.from('data: what is this?\n\n')]) {
    const seen = Promise.withResolvers<void>();
    await using at = await cloudFixture(async (_arrived, response) => {
      response.writeHead(200, { 'content-type': STREAM });
      response.write(chunk(EVENTS[0]));
      await seen.promise;
      response.end(broken);
    }, options);
    const answered = await at.message(
      { stream: true },
      {
        onPiece() {
          seen.resolve();
          return undefined;
        },
      },
    );
    expect(answered).toMatchObject({ text: asServerSent([EVENTS[0]]), wasCut: true });
  }
  await using other = await cloudFixture(
    (_arrived, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    options,
  );
  expect(await other.message({ stream: true })).toMatchObject({ status: 502 });
});

test('what Bedrock refuses is told in the protocol’s words', async () => {
  await using _env = await cloudless(SIGNED_IN);
  const long = { message: 'Input is too long for requested model.' };
  await using at = await cloudFixture(answers(400, long, { 'x-amzn-errortype': 'ValidationException' }), options);
  const answered = await at.message();
  expect(answered.status).toBe(400);
  expect(JSON.parse(answered.text)).toEqual({ type: 'error', error: { type: 'invalid_request_error', ...long } });
});

test('a quota of the account that is used up is told as such, one of minutes is not', async () => {
  await using _env = await cloudless(SIGNED_IN);
  for (const [status, type, message] of [
    [400, 'ServiceQuotaExceededException', 'Your request exceeds the service quota for your account.'],
    [429, 'ThrottlingException', 'Too many tokens per day, please wait before trying again.'],
  ] as const) {
    await using at = await cloudFixture(answers(status, { __type: `com.amazon.coral#${type}`, message }), options);
    expect((await at.message()).status).toBe(402);
    expect(at.meter.pauses).toMatchObject([{ kind: 'quota', credential: 'aws', host: at.host }]);
    expect(at.meter.spent).toHaveLength(1);
  }
});

test('an identity that is not taken is named, and nothing that AWS says of it is passed on', async () => {
  await using _env = await cloudless(SIGNED_IN);
  const message = `The request signature does not match. The Canonical String was x-amz-security-token:${SESSION}`;
  for (const [status, type] of [
    [403, 'InvalidSignatureException'],
    [400, 'IncompleteSignature'],
    [403, 'AccessDeniedException'],
  ] as const) {
    await using at = await cloudFixture(answers(status, { message }, { 'x-amzn-errortype': type }), options);
    const answered = await at.message();
    expect([401, 403]).toContain(answered.status);
    expect(answered.text).not.toContain(SESSION);
    expect(answered.text).toContain('this machine’s identity of AWS');
    expect(answered.text.includes('bedrock:InvokeModel')).toBe(type === 'AccessDeniedException');
    expect(at.arrived).toHaveLength(1);
  }
});
