import { createServer as createHttpsServer } from 'node:https';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { tempFolder } from '../../testing/temp-repository.ts';
import { type Certificate, certificateFor, type LoopbackServer, onLoopback } from '../egress/fixture/egress-fixture.ts';
import { forwardProxy } from '../egress/forward-proxy.ts';
import { gatewayFixture, KEY } from './fixture/gateway-fixture.ts';

const all = new AsyncDisposableStack();
let certificate: Certificate;
let model: LoopbackServer;
const keys: (string | undefined)[] = [];

beforeAll(async () => {
  certificate = await certificateFor(all.use(await tempFolder()).path, ['models.test']);
  const server = createHttpsServer(certificate, (request, response) => {
    keys.push(request.headers.authorization);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"model":"known"}');
  });
  model = all.use(await onLoopback(server));
});
afterAll(() => all.disposeAsync());

const endpoint = () => ({ baseUrl: `https://models.test:${model.port}/v1` });
const resolve = async () => ['127.0.0.1'];
const unused = () => undefined;

test.each(['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'])(
  'an authority that the machine names in %s is believed',
  async (name) => {
    const hostEnv = { THE_KEY: KEY, [name]: certificate.path };
    await using at = await gatewayFixture(unused, { endpoint: endpoint(), resolve, hostEnv });
    expect(await at.ask()).toMatchObject({ status: 200, text: '{"model":"known"}' });
    expect(keys.at(-1)).toBe(`Bearer ${KEY}`);
  },
);

test('one that nobody names is not, and gets no key', async () => {
  const count = keys.length;
  await using at = await gatewayFixture(unused, { endpoint: endpoint(), resolve, hostEnv: { THE_KEY: KEY } });
  expect(await at.ask()).toMatchObject({ status: 502 });
  expect(keys).toHaveLength(count);
});

test('the way goes through the machine’s proxy, which sees no key', async () => {
  const asked: string[] = [];
  const proxy = forwardProxy({
    resolve,
    proxies: () => undefined,
    isAllowed: ({ host }) => {
      asked.push(host);
      return 'anywhere';
    },
    onRefused: unused,
  });
  await using listening = await onLoopback(proxy);
  const hostEnv = { THE_KEY: KEY, SSL_CERT_FILE: certificate.path, HTTPS_PROXY: `http://127.0.0.1:${listening.port}` };
  const nowhere = () => Promise.reject(new Error('no names are known here'));
  await using at = await gatewayFixture(unused, {
    endpoint: endpoint(),
    resolve: nowhere,
    hostEnv,
    clock: systemClock,
  });
  expect(await at.ask()).toMatchObject({ status: 200 });
  expect(asked).toEqual(['models.test']);
});
