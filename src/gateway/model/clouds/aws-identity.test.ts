import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { type Arrived, KEY } from '../fixture/gateway-fixture.ts';
import { isSignedBy } from './fixture/aws-signature.ts';
import { answers, ID, options, profile, REGION, SECRET, SESSION, SIGNED_IN } from './fixture/bedrock-fixture.ts';
import { closedProxy, cloudFixture, cloudless, json, WHOLE } from './fixture/cloud-fixture.ts';

test('an identity of a profile that has changed since is found anew when the old one is not taken', async () => {
  await using env = await cloudless();
  const write = (id: string) =>
    env.write('credentials', `[dev]\naws_access_key_id = ${id}\naws_secret_access_key = ${SECRET}\n`);
  await write('AKIDOLD');
  await using at = await cloudFixture(
    (arrived, response) =>
      isSignedBy(arrived, { id: 'AKIDNEW', secret: SECRET, region: REGION })
        ? json(200, WHOLE)(response)
        : json(403, { message: 'expired' }, { 'x-amzn-errortype': 'ExpiredTokenException' })(response),
    profile('dev'),
  );
  expect((await at.message()).status).toBe(403);
  expect(at.arrived).toHaveLength(1);
  await write('AKIDNEW');
  expect((await at.message()).status).toBe(200);
  expect(at.arrived).toHaveLength(3);
  expect(at.meter.calls[0]).toMatchObject({ credential: 'aws:dev' });
});

test('without an identity a request is refused, with what to do', async () => {
  await using _env = await cloudless();
  await using at = await cloudFixture(answers(200, WHOLE), profile('none'));
  const answered = await at.message();
  expect(answered.status).toBe(401);
  expect(answered.text).toContain('aws sts get-caller-identity --profile none');
  expect(at.arrived).toEqual([]);
});

test('an API key of Bedrock is sent in place of a signature, and the next one when its quota is used up', async () => {
  await using _env = await cloudless(SIGNED_IN);
  const { cloud } = options.endpoint;
  await using at = await cloudFixture(
    (arrived, response) =>
      arrived.headers.authorization === `Bearer ${KEY}`
        ? json(400, { message: 'no' }, { 'x-amzn-errortype': 'ServiceQuotaExceededException' })(response)
        : json(200, WHOLE)(response),
    {
      endpoint: {
        ...(cloud === undefined ? {} : { cloud }),
        key: { env: 'THE_KEY' },
        spareKeys: [{ env: 'SPARE_KEY' }],
      },
    },
  );
  expect((await at.message()).status).toBe(200);
  expect(at.arrived.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${KEY}`, `Bearer ${KEY}-spare`]);
  expect(at.arrived[1]?.headers['x-amz-date']).toBeUndefined();
});

test('a role is asked for by way of this machine’s proxy', async () => {
  await using env = await cloudless({ AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/ours' });
  env.set('AWS_WEB_IDENTITY_TOKEN_FILE', await env.write('token', 'a.b.c'));
  await using proxy = await closedProxy();
  await using at = await cloudFixture(answers(200, WHOLE), {
    ...options,
    hostEnv: { https_proxy: proxy.url, no_proxy: '127.0.0.1' },
  });
  expect((await at.message()).status).toBe(401);
  expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT sts.eu-west-1.amazonaws.com:443']));
});
test('the identity of a container is asked for within the machine, whatever proxies there are', async () => {
  await using env = await cloudless();
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.authorization);
    const Expiration = new Date(Date.now() + 3_600_000).toISOString();
    json(200, { AccessKeyId: ID, SecretAccessKey: SECRET, Token: SESSION, Expiration })(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  env.set(
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
    `http://127.0.0.1:${(server.address() as AddressInfo).port}/credentials`,
  );
  env.set('AWS_CONTAINER_AUTHORIZATION_TOKEN', 'of-the-container');
  await using proxy = await closedProxy();
  await using at = await cloudFixture(answers(200, WHOLE), {
    ...options,
    hostEnv: { http_proxy: proxy.url, https_proxy: proxy.url, no_proxy: '127.0.0.1' },
  });
  for (let n = 0; n < 2; n++) expect((await at.message()).status).toBe(200);
  await new Promise((resolve) => server.close(resolve));
  expect(asked).toEqual(['of-the-container']);
  expect(isSignedBy(at.arrived[1] as Arrived, { id: ID, secret: SECRET, region: REGION })).toBe(true);
  expect(at.arrived[1]?.headers['x-amz-security-token']).toBe(SESSION);
  expect(proxy.asked).toEqual([]);
});

test('a profile may name a program that gives out an identity, and what it says when it fails is told to nobody', async () => {
  await using env = await cloudless();
  const identity = JSON.stringify({ Version: 1, AccessKeyId: ID, SecretAccessKey: SECRET });
  const file = await env.write('identity.json', identity);
  await env.write('config', `[profile dev]\ncredential_process = cat ${file}\n`);
  await using at = await cloudFixture(answers(200, WHOLE), profile('dev'));
  expect((await at.message()).status).toBe(200);
  expect(isSignedBy(at.arrived[0] as Arrived, { id: ID, secret: SECRET, region: REGION })).toBe(true);
  await env.write('config', `[profile dev]\ncredential_process = sh -c "echo ${SECRET} >&2; exit 1"\n`);
  await using failing = await cloudFixture(answers(200, WHOLE), profile('dev'));
  const answered = await failing.message();
  expect(answered.status).toBe(401);
  expect(answered.text).not.toContain(SECRET);
});
