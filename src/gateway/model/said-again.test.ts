import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type Answer, gatewayFixture, KEY } from './fixture/gateway-fixture.ts';

/** What the client hears of an upstream that says again what it was sent. */

test.each([400, 500, 404])(
  'the key is in nothing that a failure with status %s says, neither body nor headers',
  async (status) => {
    await using at = await gatewayFixture((arrived, response) => {
      const whole = arrived.headers['authorization'] ?? '';
      response.writeHead(status, {
        'content-type': 'application/json',
        'x-echo': whole,
        'x-key': `${KEY}, and more`,
        'x-request-id': 'kept',
      });
      const packed = Buffer.from(KEY).toString('base64');
      response.end(JSON.stringify({ error: { message: `Bad request: ${whole}; ${KEY}; ${packed}` } }));
    });
    const answered = await at.ask();
    expect(answered.status).toBe(status);
    expect(answered.headers).toMatchObject({ 'x-request-id': 'kept', 'content-type': 'application/json' });
    expect(answered.headers).not.toHaveProperty('x-echo');
    expect(answered.headers).not.toHaveProperty('x-key');
    expect(answered.text).not.toContain(KEY);
    expect(answered.text).not.toContain(Buffer.from(KEY).toString('base64').slice(2, -4));
    expect(JSON.parse(answered.text)).toMatchObject({
      error: { message: expect.stringMatching(/^Bad request: .*THE_KEY/) },
    });
  },
);

test('nor in the headers of an answer; its body and all else come as they are', async () => {
  await using at = await gatewayFixture((arrived, response) => {
    response.writeHead(200, { 'x-echo': arrived.headers['authorization'], 'x-model': 'known' });
    response.end('{"model":"known","output":[]}');
  });
  const answered = await at.ask();
  expect(answered).toMatchObject({ status: 200, text: '{"model":"known","output":[]}' });
  expect(answered.headers).toMatchObject({ 'x-model': 'known' });
  expect(JSON.stringify(answered.headers)).not.toContain(KEY);
});

test('a failure that is packed although nobody asked for it is unpacked and looked through', async () => {
  const fails =
    (encoding: string, body: Buffer): Answer =>
    (_arrived, response) => {
      response.writeHead(400, { 'content-encoding': encoding });
      response.end(body);
    };
  await using packed = await gatewayFixture(fails('gzip', gzipSync(`The prompt is too long: ${KEY}`)));
  const read = await packed.ask();
  expect(read).toMatchObject({ status: 400, text: 'The prompt is too long: [secret THE_KEY]' });
  expect(read.headers['content-encoding']).toBeUndefined();
  await using odd = await gatewayFixture(fails('x-own', Buffer.from(KEY)));
  expect(await odd.ask()).toMatchObject({ status: 400, text: '' });
});

test('a failure whose end is not read shows no part of a key at its end', async () => {
  await using at = await gatewayFixture((_arrived, response) => {
    response.writeHead(400);
    response.end(`${'x'.repeat(64 * 1024 - KEY.length + 2)}${KEY}`);
  });
  const { status, text } = await at.ask();
  expect(status).toBe(400);
  expect(text.length).toBeGreaterThan(60_000);
  expect(text).not.toContain(KEY.slice(0, 12));
});
