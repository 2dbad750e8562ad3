import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { waitUntil } from '../../../lib/wait-until.ts';
import type { Answer, Arrived } from '../fixture/gateway-fixture.ts';
import {
  asServerSent,
  type Cloudless,
  type CloudOptions,
  closedProxy,
  cloudFixture,
  cloudless,
  EVENTS,
  json,
  MODEL,
  WHOLE,
} from './fixture/cloud-fixture.ts';

const ROOT = '/v1/projects/my-project/locations/us-east5/publishers/anthropic/models';
const options: CloudOptions = {
  endpoint: {
    cloud: {
      kind: 'vertex',
      project: 'my-project',
      region: 'us-east5',
      models: { 'claude-old': 'claude-old@20260101' },
    },
  },
};

const answers =
  (...rest: Parameters<typeof json>): Answer =>
  (_arrived, response) =>
    json(...rest)(response);

const streams: Answer = (_arrived, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(asServerSent(EVENTS));
};

interface SignedIn extends Cloudless {
  /** The tokens that were given out, in order. */
  readonly tokens: readonly string[];
}

/** Signed in by a file of credentials whose tokens come from a server on loopback. */
async function signedIn(): Promise<SignedIn> {
  const env = await cloudless();
  const tokens: string[] = [];
  const server = createServer((_request, response) => {
    tokens.push(`ya29.token-${tokens.length + 1}`);
    json(200, {
      access_token: tokens.at(-1),
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 3600,
    })(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const subject = await env.write('subject', 'a.b.c');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/token`;
  const credentials = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ours/providers/ours',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: url,
    credential_source: { file: subject },
  };
  env.set('GOOGLE_APPLICATION_CREDENTIALS', await env.write('credentials.json', JSON.stringify(credentials)));
  return {
    ...env,
    tokens,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await env[Symbol.asyncDispose]();
    },
  };
}

test('a message is asked for in Vertex’s form, with a token of this machine’s, which is asked for once', async () => {
  await using env = await signedIn();
  await using at = await cloudFixture(answers(200, WHOLE), options);
  const headers = {
    'x-api-key': at.token,
    'anthropic-version': '2023-06-01',
    'anthropic-beta': 'context-1m-2025-08-07',
    'x-goog-user-project': 'mine',
    cookie: 'a=b',
  };
  const answered = await at.message({}, { headers });
  expect(answered).toMatchObject({ status: 200, text: JSON.stringify(WHOLE) });
  await at.message({ model: 'claude-old' });
  expect(env.tokens).toHaveLength(1);
  const [arrived, second] = at.arrived as [Arrived, Arrived];
  expect(arrived).toMatchObject({ method: 'POST', path: `${ROOT}/${MODEL}:rawPredict` });
  expect(second.path).toBe(`${ROOT}/claude-old%4020260101:rawPredict`);
  expect(JSON.parse(arrived.body)).toEqual({
    max_tokens: 100,
    messages: [{ role: 'user', content: 'Hi' }],
    anthropic_version: 'vertex-2023-10-16',
  });
  expect(Object.keys(arrived.headers).toSorted()).toEqual([
    'accept-encoding',
    'anthropic-beta',
    'authorization',
    'connection',
    'content-length',
    'content-type',
    'host',
  ]);
  expect(arrived.headers.authorization).toBe('Bearer ya29.token-1');
  expect(JSON.stringify(at.arrived)).not.toContain(at.token);
  expect(JSON.stringify([at.way.entry, at.way.env, answered, at.meter])).not.toContain('ya29');
});

test('a stream is passed on as it is, counted and priced', async () => {
  await using _env = await signedIn();
  await using at = await cloudFixture(streams, options);
  expect(await at.message({ stream: true })).toMatchObject({ status: 200, text: asServerSent(EVENTS), wasCut: false });
  expect(at.arrived[0]?.path).toBe(`${ROOT}/${MODEL}:streamRawPredict`);
  expect(JSON.parse(at.arrived[0]?.body ?? '')).toMatchObject({ stream: true });
  await waitUntil(async () => at.meter.calls.length === 1, { what: 'the call to be told', timeoutMs: 5_000 });
  expect(at.meter.calls).toMatchObject([
    { api: 'anthropic', credential: 'google', model: MODEL, outcome: 'answered', tokens: { input: 1000, output: 50 } },
  ]);
  expect(at.meter.calls[0]?.cost).toBeCloseTo(0.005, 9);
});

test('tokens are counted by Vertex, by the name that it has for the model', async () => {
  await using _env = await signedIn();
  await using at = await cloudFixture(answers(200, { input_tokens: 42 }), options);
  const answered = await at.ask({
    path: '/v1/messages/count_tokens',
    headers: { 'x-api-key': at.token },
    body: JSON.stringify({ model: 'claude-old', messages: [] }),
  });
  expect(answered).toMatchObject({ status: 200, text: '{"input_tokens":42}' });
  expect(at.arrived[0]?.path).toBe(`${ROOT}/count-tokens:rawPredict`);
  expect(JSON.parse(at.arrived[0]?.body ?? '')).toMatchObject({ model: 'claude-old@20260101' });
  expect(at.meter.calls).toEqual([]);
});

test('a stream is cut when it has used what there is', async () => {
  await using _env = await signedIn();
  await using at = await cloudFixture((_arrived, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(asServerSent(EVENTS.slice(0, 3)));
  }, options);
  at.meter.most = 500;
  expect(await at.message({ stream: true })).toMatchObject({ wasCut: true });
  await waitUntil(async () => at.meter.calls.length === 1, { what: 'the call to be told', timeoutMs: 5_000 });
  expect(at.meter.calls).toMatchObject([{ outcome: 'cut', estimated: true }]);
});

test('a quota of minutes is waited for, one of a day is told as used up', async () => {
  await using _env = await signedIn();
  const exhausted = (what: string) => ({
    error: {
      code: 429,
      message: `Quota exceeded for aiplatform.googleapis.com/${what}.`,
      status: 'RESOURCE_EXHAUSTED',
    },
  });
  let count = 0;
  await using at = await cloudFixture(
    (_arrived, response) =>
      (count += 1) === 1
        ? json(429, [exhausted('online_prediction_input_tokens_per_minute_per_base_model')])(response)
        : json(200, WHOLE)(response),
    options,
  );
  expect((await at.message()).status).toBe(200);
  expect(at.arrived).toHaveLength(2);
  await using day = await cloudFixture(answers(429, exhausted('online_prediction_tokens_per_day')), options);
  expect((await day.message()).status).toBe(402);
  expect(day.meter.pauses).toMatchObject([{ kind: 'quota', credential: 'google' }]);
});

test('what Vertex refuses is told in the protocol’s words, whoever has worded it', async () => {
  await using _env = await signedIn();
  const google = [{ error: { code: 404, message: 'Publisher Model was not found.', status: 'NOT_FOUND' } }];
  const own = { type: 'error', error: { type: 'invalid_request_error', message: 'prompt is too long' } };
  await using missing = await cloudFixture(answers(404, google), options);
  const answered = await missing.message();
  expect(answered.status).toBe(404);
  expect(JSON.parse(answered.text)).toEqual({
    type: 'error',
    error: { type: 'not_found_error', message: 'Publisher Model was not found.' },
  });
  await using long = await cloudFixture(answers(400, own), options);
  expect(JSON.parse((await long.message()).text)).toEqual(own);
});

test('a token that is not taken is replaced once by a new one', async () => {
  await using env = await signedIn();
  const unauthenticated = { error: { code: 401, message: 'Invalid credentials', status: 'UNAUTHENTICATED' } };
  await using at = await cloudFixture(
    (arrived, response) =>
      arrived.headers.authorization === 'Bearer ya29.token-2'
        ? json(200, WHOLE)(response)
        : json(401, unauthenticated)(response),
    options,
  );
  expect((await at.message()).status).toBe(200);
  expect(env.tokens).toHaveLength(2);
  await using never = await cloudFixture(answers(401, unauthenticated), options);
  const answered = await never.message();
  expect(answered.status).toBe(401);
  expect(answered.text).toContain('Google’s application default credentials');
  expect(never.arrived).toHaveLength(2);
});

test('an identity that may not use the model is told which permission it needs', async () => {
  await using _env = await signedIn();
  await using at = await cloudFixture(
    answers(403, { error: { code: 403, message: 'Permission denied on ya29', status: 'PERMISSION_DENIED' } }),
    options,
  );
  const answered = await at.message();
  expect(answered.status).toBe(403);
  expect(answered.text).toContain('aiplatform.endpoints.predict in my-project');
  expect(answered.text).not.toContain('ya29');
});

test('without credentials a request is refused, with what to do', async () => {
  await using _env = await cloudless();
  await using at = await cloudFixture(answers(200, WHOLE), options);
  const answered = await at.message();
  expect(answered.status).toBe(401);
  expect(answered.text).toContain('gcloud auth application-default login');
  expect(at.arrived).toEqual([]);
});

test('a service account’s token is asked for by way of this machine’s proxy', async () => {
  await using env = await cloudless();
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const account = {
    type: 'service_account',
    client_email: 'ours@my-project.iam.gserviceaccount.com',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    project_id: 'my-project',
  };
  env.set('GOOGLE_APPLICATION_CREDENTIALS', await env.write('account.json', JSON.stringify(account)));
  await using proxy = await closedProxy();
  await using at = await cloudFixture(answers(200, WHOLE), {
    ...options,
    hostEnv: { https_proxy: proxy.url, no_proxy: '127.0.0.1' },
  });
  expect((await at.message()).status).toBe(401);
  expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT oauth2.googleapis.com:443']));
});

test('on a machine of Google’s, its own account’s token is used', async () => {
  await using env = await cloudless();
  const server = createServer((request, response) => {
    response.setHeader('metadata-flavor', 'Google');
    if (request.url?.includes('/token') === true)
      return json(200, { access_token: 'ya29.of-the-machine', expires_in: 3600, token_type: 'Bearer' })(response);
    response.end(request.url?.includes('universe') === true ? 'googleapis.com' : 'ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  env.set('GCE_METADATA_HOST', `127.0.0.1:${(server.address() as AddressInfo).port}`);
  env.set('METADATA_SERVER_DETECTION', 'assume-present');
  await using at = await cloudFixture(answers(200, WHOLE), options);
  expect((await at.message()).status).toBe(200);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(at.arrived[0]?.headers.authorization).toBe('Bearer ya29.of-the-machine');
});
