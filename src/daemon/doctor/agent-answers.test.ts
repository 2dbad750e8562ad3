import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { AgentEntry } from '../../domain/agent-entry.ts';
import { answerRows } from './agent-answers.ts';

/** A server of models that takes the key `good-key` alone, and answers those that it takes with `status`. */
async function modelServer(status = 200) {
  const arrived: string[] = [];
  const server = createServer((request, response) => {
    const key = keyIn(request);
    arrived.push(`${request.method} ${request.url} ${String(key)}`);
    response.writeHead(key === 'good-key' ? status : 401).end('{}');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return { arrived, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function keyIn({ headers }: IncomingMessage): unknown {
  return headers['x-api-key'] ?? headers['x-goog-api-key'] ?? headers.authorization?.replace('Bearer ', '');
}

const STORED = {
  list: async () => [{ name: 'STORED', repository: null, setAt: '' }],
  read: async () => [
    { name: 'STORED', repository: 'shop', setAt: '', value: 'bad-key' },
    { name: 'STORED', repository: null, setAt: '', value: 'good-key' },
  ],
};

const ask = (endpoint: object, env: Record<string, string>) =>
  answerRows(AgentEntry.parse({ kind: 'custom', endpoint }), { env, signal: undefined, secrets: STORED });

test.each([
  ['responses', '/v1', '/v1/models'],
  ['chat', '/v1/', '/v1/models'],
  ['anthropic', '', '/v1/models'],
  ['gemini', '', '/v1beta/models'],
])(
  'a server that speaks %s is asked for its models with the key, and one that it takes is no problem',
  async (api, base, path) => {
    const { origin, arrived } = await modelServer();
    const endpoint = { api, baseUrl: `${origin}${base}`, key: { env: 'A_KEY' } };
    const rows = await ask(endpoint, { A_KEY: 'good-key' });
    expect(arrived).toEqual([`GET ${path} good-key`]);
    expect(rows).toMatchObject([{ level: 'ok', text: expect.stringContaining('takes the key in A_KEY') }]);
  },
);

test('a key that is refused is a problem, a spare one too, and is not shown', async () => {
  const { origin } = await modelServer();
  const endpoint = { api: 'responses', baseUrl: `${origin}/v1`, key: { env: 'A_KEY' }, spareKeys: [{ env: 'SPARE' }] };
  const rows = await ask(endpoint, { A_KEY: 'good-key', SPARE: 'bad-key' });
  expect(rows).toMatchObject([
    { level: 'ok' },
    {
      level: 'problem',
      text: `${origin}/v1 refuses the key in SPARE (HTTP 401)`,
      hint: expect.stringContaining('restart'),
    },
  ]);
  expect(JSON.stringify(rows)).not.toContain('bad-key');
});

test('a key that is a secret is asked with, the one for all repositories', async () => {
  const { origin, arrived } = await modelServer();
  const rows = await ask({ api: 'chat', baseUrl: origin, key: { secret: 'STORED' } }, {});
  expect(rows).toMatchObject([{ level: 'ok', text: expect.stringContaining('takes the key in STORED') }]);
  expect(arrived).toEqual(['GET /models good-key']);
});

test('Google refuses keys with 400', async () => {
  const { origin } = await modelServer(400);
  const rows = await ask({ api: 'gemini', baseUrl: origin, key: { env: 'A_KEY' } }, { A_KEY: 'good-key' });
  expect(rows).toMatchObject([
    { level: 'problem', text: expect.stringContaining('refuses the key in A_KEY (HTTP 400)') },
  ]);
});

test('what cannot be a key is not sent, and not shown', async () => {
  const { origin, arrived } = await modelServer();
  const rows = await ask({ api: 'chat', baseUrl: origin, key: { env: 'A_KEY' } }, { A_KEY: 'good-key\nmore' });
  expect(rows).toMatchObject([{ level: 'problem', text: expect.stringContaining('the key in A_KEY holds') }]);
  expect(JSON.stringify(rows)).not.toContain('good-key');
  expect(arrived).toEqual([]);
});

test('a server without a list of models says nothing of the key', async () => {
  const { origin } = await modelServer(404);
  const rows = await ask({ api: 'chat', baseUrl: origin, key: { env: 'A_KEY' } }, { A_KEY: 'good-key' });
  expect(rows).toMatchObject([{ level: 'ok', text: expect.stringContaining('only a run can tell') }]);
});

test('without a key the address alone is asked', async () => {
  const { origin, arrived } = await modelServer();
  expect(await ask({ api: 'chat', baseUrl: `${origin}/v1` }, {})).toMatchObject([{ level: 'ok' }]);
  expect(arrived).toEqual(['GET /v1 undefined']);
});
