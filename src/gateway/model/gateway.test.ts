import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { waitUntil } from '../../lib/wait-until.ts';
import { type Arrived, gatewayFixture, KEY } from './fixture/gateway-fixture.ts';
import { LARGEST_REQUEST } from './request-body.ts';

const USAGE = {
  input_tokens: 1000,
  input_tokens_details: { cached_tokens: 400 },
  output_tokens: 50,
  output_tokens_details: { reasoning_tokens: 20 },
  total_tokens: 1050,
};

const event = (type: string, more: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const created = event('response.created', { response: { model: 'known' } });
const delta = (text: string): string => event('response.output_text.delta', { delta: text });
const completed = event('response.completed', { response: { model: 'known', status: 'completed', usage: USAGE } });

function streams(...pieces: readonly string[]) {
  return (_arrived: Arrived, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'set-cookie': 'a=b' });
    for (const piece of pieces) response.write(piece);
    response.end();
  };
}

const fails =
  (status: number, body: object, headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };

test('a request gets the key in place of the token, and its answer comes back as it is', async () => {
  await using at = await gatewayFixture(streams(created, delta('Hello'), completed));
  expect(at.token).not.toContain(KEY);
  expect(JSON.stringify(at.way.entry)).not.toContain(KEY);
  const answered = await at.ask();
  expect(answered).toMatchObject({ status: 200, text: created + delta('Hello') + completed, wasCut: false });
  expect(answered.headers['set-cookie']).toBeUndefined();
  expect(at.arrived).toMatchObject([{ method: 'POST', path: '/v1/responses' }]);
  expect(at.arrived[0]?.headers['authorization']).toBe(`Bearer ${KEY}`);
  expect(JSON.stringify(at.arrived)).not.toContain(at.token);
});

test('what a call has used is told with its price, and that of an unknown model is unknown', async () => {
  await using at = await gatewayFixture(streams(created, completed));
  await at.ask();
  await waitUntil(async () => at.meter.calls.length === 1, { what: 'the call to be told', timeoutMs: 5_000 });
  expect(at.meter.calls[0]).toMatchObject({
    api: 'responses',
    host: at.host,
    model: 'known',
    credential: 'THE_KEY',
    status: 200,
    outcome: 'answered',
    tokens: { input: 1000, cached: 400, output: 50, reasoning: 20 },
    estimated: false,
    cost: (1000 + 500) / 1_000_000,
  });
  await using other = await gatewayFixture(
    streams(event('response.created', { response: { model: 'new' } }), completed.replaceAll('known', 'new')),
  );
  await other.ask({ body: JSON.stringify({ model: 'new' }) });
  await waitUntil(async () => other.meter.calls.length === 1, { what: 'the call to be told', timeoutMs: 5_000 });
  expect(other.meter.calls[0]).toMatchObject({ model: 'new', cost: null });
});

test('each piece of an answer is passed on when it comes', async () => {
  const passed = Promise.withResolvers<void>();
  await using at = await gatewayFixture(async (_arrived, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(created);
    await passed.promise;
    response.end(completed);
  });
  const answered = await at.ask({
    onPiece(text) {
      if (text.includes('response.created')) passed.resolve();
      return undefined;
    },
  });
  expect(answered.text).toBe(created + completed);
});

test('a request with another token, or none, or two, is refused and told', async () => {
  await using at = await gatewayFixture(streams(completed));
  await using other = await gatewayFixture(streams(completed));
  for (const headers of [
    {},
    { authorization: `Bearer ${other.token}` },
    { authorization: `Bearer ${at.token}x` },
    { authorization: 'Bearer ' },
  ]) {
    expect((await at.ask({ headers })).status).toBe(400);
  }
  expect(at.arrived).toEqual([]);
  expect(at.meter.refusals).toHaveLength(4);
  expect(at.meter.calls).toEqual([]);
});

test('only what talks to a model is let through, at the upstream’s own address', async () => {
  await using at = await gatewayFixture(streams(completed));
  const targets = [
    '/v1/files',
    '/v1/../admin',
    '/v1/responses/../files',
    '/v1/%72esponses',
    '//v1/responses',
    `http://${at.host}/v1/responses`,
    '/v1//responses',
    '/v1/responses%2f..',
    '/v1/organization/api_keys',
  ];
  for (const path of targets) expect([path, (await at.ask({ path })).status]).toEqual([path, 400]);
  expect((await at.ask({ method: 'DELETE' })).status).toBe(400);
  expect(at.arrived).toEqual([]);
  expect(at.meter.refusals).toHaveLength(targets.length + 1);
});

test('tunnels, changes of protocol and requests that say their length twice are turned away', async () => {
  await using at = await gatewayFixture(streams(completed));
  const port = Number(new URL(at.way.entry.endpoint?.baseUrl ?? '').port);
  const head = `Host: x\r\nAuthorization: Bearer ${at.token}\r\n`;
  for (const text of [
    `CONNECT ${at.host} HTTP/1.1\r\n${head}\r\n`,
    `GET /v1/responses HTTP/1.1\r\n${head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    `POST /v1/responses HTTP/1.1\r\n${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST /v1/responses HTTP/1.1\r\n${head}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd`,
    `POST /v1/responses HTTP/1.1\r\n${head}X: a\r\n b\r\n\r\n`,
  ]) {
    expect(await rawAnswer(port, text)).toMatch(/^HTTP\/1\.1 4\d\d |^$/);
  }
  expect(at.arrived).toEqual([]);
});

test('headers that carry credentials, cookies or ways are not passed on, others are', async () => {
  await using at = await gatewayFixture(streams(completed));
  await at.ask({
    headers: {
      authorization: `Bearer ${at.token}`,
      cookie: 'session=1',
      forwarded: 'for=1.2.3.4',
      'proxy-authorization': 'Basic abc',
      connection: 'x-secret, close',
      'x-secret': 'hop',
      'accept-encoding': 'gzip',
      'x-session': 'kept',
    },
  });
  const { headers } = at.arrived[0] as Arrived;
  expect(headers).toMatchObject({ 'x-session': 'kept', 'accept-encoding': 'identity', host: at.host });
  for (const name of ['cookie', 'forwarded', 'proxy-authorization', 'x-secret']) expect(headers[name]).toBeUndefined();
});

test('a request that is too large is refused, whether it says so or not', async () => {
  await using at = await gatewayFixture(streams(completed));
  const answered = await at
    .ask({ body: Buffer.alloc(LARGEST_REQUEST + 1, 0x20) })
    .catch((error: NodeJS.ErrnoException) => error.code);
  expect(
    answered === 'EPIPE' || answered === 'ECONNRESET' || (typeof answered === 'object' && answered.status === 400),
  ).toBe(true);
  expect(at.arrived).toEqual([]);
  expect(at.meter.refusals).toEqual(['A request to the model was refused: it was too large.']);
});

test('models beyond those that are allowed are refused, however often a body names one', async () => {
  await using at = await gatewayFixture(streams(completed), { endpoint: { models: ['known', 'small-*'] } });
  expect((await at.ask({ body: '{"model":"other"}' })).status).toBe(400);
  expect((await at.ask({ body: '{}' })).status).toBe(400);
  expect((await at.ask({ body: 'model' })).status).toBe(400);
  expect((await at.ask({ body: '{"model":"small-1"}' })).status).toBe(200);
  await at.ask({ body: '{"model":"other","model":"known"}' });
  expect(at.arrived.map(({ body }) => body)).toEqual(['{"model":"small-1"}', '{"model":"known"}']);
});

test('a redirect is not followed, and its address is not told', async () => {
  await using at = await gatewayFixture((_arrived, response) => {
    response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data' });
    response.end();
  });
  const answered = await at.ask();
  expect(answered.status).toBe(400);
  expect(answered.headers['location']).toBeUndefined();
  expect(at.arrived).toHaveLength(1);
  expect(at.meter.refusals).toHaveLength(1);
});

test('an upstream that refuses the key is told by the key’s name, not by what the upstream says of it', async () => {
  await using at = await gatewayFixture((_arrived, response) =>
    fails(401, { error: { message: `Incorrect API key provided: ${KEY}` } })(response),
  );
  const answered = await at.ask();
  expect(answered.status).toBe(400);
  expect(answered.text).not.toContain(KEY);
  expect(answered.text).toContain('THE_KEY');
});

test('other failures reach the agent as the upstream says them', async () => {
  const body = {
    error: { message: 'The prompt is too long.', type: 'invalid_request_error', code: 'context_length_exceeded' },
  };
  await using at = await gatewayFixture((_arrived, response) => fails(400, body)(response));
  expect(await at.ask()).toMatchObject({ status: 400, text: JSON.stringify(body) });
  expect(at.meter.calls).toMatchObject([{ outcome: 'failed', status: 400, tokens: null }]);
});

test('a rate limit that passes soon is waited for, and told; the agent sees the answer alone', async () => {
  let count = 0;
  await using at = await gatewayFixture((arrived, response) =>
    (count += 1) === 1
      ? fails(429, { error: { message: 'slow down', code: 'rate_limit_exceeded' } }, { 'retry-after': '1' })(response)
      : streams(completed)(arrived, response),
  );
  expect(await at.ask()).toMatchObject({ status: 200 });
  expect(at.arrived).toHaveLength(2);
  expect(at.meter.pauses).toMatchObject([{ kind: 'rate-limit', host: at.host, credential: 'THE_KEY' }]);
});

test('where the quota of a key is used up the next key is taken, and without a further one it is told until when', async () => {
  const resets = Date.now() + 3_600_000;
  const used = fails(429, {
    error: { message: 'used up', type: 'usage_limit_reached', resets_at: Math.floor(resets / 1000) },
  });
  await using at = await gatewayFixture(
    (arrived, response) =>
      arrived.headers['authorization'] === `Bearer ${KEY}` ? used(response) : streams(completed)(arrived, response),
    { endpoint: { spareKeys: [{ env: 'SPARE_KEY' }] } },
  );
  expect((await at.ask()).status).toBe(200);
  expect(at.meter.pauses).toMatchObject([{ kind: 'quota', credential: 'THE_KEY' }]);
  expect(at.meter.spent).toEqual([]);
  await using alone = await gatewayFixture((_arrived, response) => used(response));
  expect((await alone.ask()).status).toBe(400);
  expect(alone.meter.spent).toMatchObject([{ credential: 'THE_KEY', until: Math.floor(resets / 1000) * 1000 }]);
});

test('a key that is a secret is added on the way, and is nothing that the agent is told', async () => {
  await using at = await gatewayFixture(streams(completed), {
    endpoint: { key: { secret: 'STORED' } },
    secrets: async () => ({ STORED: 'the-stored-key' }),
  });
  expect((await at.ask()).status).toBe(200);
  expect(at.arrived[0]?.headers['authorization']).toBe('Bearer the-stored-key');
  expect(JSON.stringify([at.way.entry, at.way.env])).not.toContain('the-stored-key');
});

test('a way whose key is a secret that is not stored is not opened, and says how to store it', async () => {
  await expect(gatewayFixture(streams(completed), { endpoint: { key: { secret: 'STORED' } } })).rejects.toMatchObject({
    code: 'agent/no-key',
    hint: expect.stringContaining('switchyard secret set STORED --everywhere'),
  });
});

test('what the meter does not admit is not sent on, and is told in the protocol’s words', async () => {
  await using at = await gatewayFixture(streams(completed));
  at.meter.admission = async () => ({ kind: 'refused', refusal: { kind: 'limit', message: 'The budget is spent.' } });
  const answered = await at.ask();
  expect(answered.status).toBe(400);
  expect(answered.text).toContain('The budget is spent.');
  expect(at.arrived).toEqual([]);
  expect(at.meter.calls).toEqual([]);
});

test('what costs nothing is not sent on either where the meter does not admit it, and needs the token', async () => {
  await using at = await gatewayFixture(streams(), { endpoint: { api: 'anthropic' } });
  at.meter.freeAdmission = async () => ({ kind: 'refused', refusal: { kind: 'lost', message: 'It was taken over.' } });
  const free = [
    { method: 'POST', path: '/v1/messages/count_tokens' },
    { method: 'GET', path: '/v1/models', body: undefined },
    { method: 'GET', path: '/', body: undefined },
  ] as const;
  for (const asking of free) {
    const answered = await at.ask({ ...asking, headers: { 'x-api-key': at.token } });
    expect(answered).toMatchObject({ status: 401, text: expect.stringContaining('It was taken over.') as string });
    expect((await at.ask({ ...asking, headers: { 'x-api-key': 'another' } })).status).toBe(401);
  }
  expect(at.arrived).toEqual([]);
});

test('what costs nothing is sent on where nothing that costs something is admitted', async () => {
  await using at = await gatewayFixture(streams(), { endpoint: { api: 'anthropic' } });
  at.meter.admission = async () => ({ kind: 'refused', refusal: { kind: 'limit', message: 'The budget is spent.' } });
  const headers = { 'x-api-key': at.token };
  expect((await at.ask({ path: '/v1/messages/count_tokens', headers })).status).toBe(200);
  expect((await at.ask({ path: '/v1/messages', headers })).status).toBe(402);
  expect(at.arrived.map(({ path }) => path)).toEqual(['/v1/messages/count_tokens']);
  expect(at.meter.calls).toEqual([]);
});

test('an answer is cut when it has used what there is, and what it used by then is estimated', async () => {
  await using at = await gatewayFixture(async (_arrived, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(created);
    for (let n = 0; n < 2_000 && !response.destroyed; n++) {
      response.write(delta('word '.repeat(20)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end(completed);
  });
  at.meter.most = 500;
  const answered = await at.ask();
  expect(answered.wasCut).toBe(true);
  expect(answered.text).not.toContain('response.completed');
  await waitUntil(async () => at.meter.calls.length === 1, { what: 'the call to be told', timeoutMs: 5_000 });
  const [call] = at.meter.calls;
  expect(call).toMatchObject({ outcome: 'cut', estimated: true, model: 'known' });
  expect(call?.tokens?.output).toBeGreaterThan(400);
  expect(call?.cost).toBeGreaterThan(0);
});

test('an agent that goes ends the request to the upstream, and what it used is counted', async () => {
  const gone = Promise.withResolvers<void>();
  await using at = await gatewayFixture((_arrived, response) => {
    response.once('close', () => gone.resolve());
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(created + delta('Hello'));
  });
  await at.ask({ onPiece: () => 'give-up' }).catch(() => undefined);
  await gone.promise;
  await waitUntil(async () => at.meter.calls.length === 1, { what: 'the call to be told', timeoutMs: 5_000 });
  expect(at.meter.calls[0]).toMatchObject({ outcome: 'cut', estimated: true });
});

test('what costs nothing is let through without being counted', async () => {
  await using at = await gatewayFixture((_arrived, response) => fails(200, { data: [] })(response));
  expect(await at.ask({ method: 'GET', path: '/v1/models', body: undefined })).toMatchObject({
    status: 200,
    text: '{"data":[]}',
  });
  expect(at.meter.calls).toEqual([]);
});

test('behind walls the way is a socket; disposing it ends what is under way and lets nobody in', async () => {
  await using at = await gatewayFixture(
    (_arrived, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(created);
    },
    { bridgedPort: 4180 },
  );
  expect(at.way.entry.endpoint?.baseUrl).toBe('http://127.0.0.1:4180/v1');
  const begun = Promise.withResolvers<void>();
  const asked = at.ask({
    onPiece() {
      begun.resolve();
      return undefined;
    },
  });
  await begun.promise;
  await at.way[Symbol.asyncDispose]();
  expect((await asked).wasCut).toBe(true);
  await expect(at.ask()).rejects.toThrow(/ENOENT|ECONNREFUSED/);
});

test('an upstream that is not there is told as such', async () => {
  await using at = await gatewayFixture(streams(completed), { endpoint: { baseUrl: 'http://127.0.0.1:1/v1' } });
  const answered = await at.ask();
  expect(answered.status).toBe(502);
  expect(answered.text).toContain('cannot be reached');
  expect(at.meter.calls).toMatchObject([{ status: null, outcome: 'failed' }]);
});

test('without its key no way is opened', async () => {
  await expect(gatewayFixture(streams(completed), { endpoint: { key: { env: 'NO_SUCH_KEY' } } })).rejects.toMatchObject(
    { code: 'agent/no-key' },
  );
});

function rawAnswer(port: number, text: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let said = '';
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  socket.on('data', (piece: Buffer) => {
    said += piece.toString();
    socket.end();
  });
  socket.on('error', () => resolve(said));
  socket.on('close', () => resolve(said));
  return promise;
}
