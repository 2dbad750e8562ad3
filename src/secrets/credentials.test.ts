import { expect, test } from 'vitest';
import { AgentEntry } from '../domain/agent-entry.ts';
import { credentialsInAddresses, keysOfAgents } from './credentials.ts';

test('keys are those that agents’ entries name, as far as they are set', () => {
  const endpoint = (...names: string[]) => ({
    api: 'responses',
    baseUrl: 'https://models.example.com',
    key: { env: names[0] },
    ...(names.length > 1 ? { spareKeys: names.slice(1).map((env) => ({ env })) } : {}),
  });
  const agents = {
    codex: AgentEntry.parse({ kind: 'codex', endpoint: endpoint('KEY_A', 'KEY_B', 'KEY_C') }),
    again: AgentEntry.parse({ kind: 'codex', endpoint: endpoint('KEY_A') }),
    login: AgentEntry.parse({ kind: 'claude' }),
  };
  const env = { KEY_A: 'sk-a', KEY_B: 'sk-b', KEY_C: '', OTHER_KEY: 'sk-other' };
  expect(keysOfAgents(agents, env)).toEqual([
    { name: 'KEY_A', value: 'sk-a' },
    { name: 'KEY_B', value: 'sk-b' },
  ]);
});

test('what signs requests to a cloud is a key where an agent uses that cloud', () => {
  const env = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'session' };
  const entry = (cloud: object) => AgentEntry.parse({ kind: 'claude', endpoint: { api: 'anthropic', cloud } });
  expect(keysOfAgents({ a: entry({ kind: 'bedrock', region: 'us-east-1' }) }, env).map(({ value }) => value)).toEqual([
    'secret',
    'session',
  ]);
  expect(keysOfAgents({ a: entry({ kind: 'vertex', project: 'p', region: 'global' }) }, env)).toEqual([]);
});

test('passwords are found in the addresses of proxies and of the database, encoded and plain, with the user as well', () => {
  const env = {
    HTTPS_PROXY: 'http://ada:p%40ss@proxy.example.com:3128',
    http_proxy: 'ada:other@proxy.example.com',
    DATABASE_URL: 'postgres://switchyard:hunter22@db/switchyard',
  };
  const values = credentialsInAddresses(env).map(({ name, value }) => `${name} ${value}`);
  expect(values).toEqual([
    'http_proxy other',
    'http_proxy ada:other',
    'HTTPS_PROXY p%40ss',
    'HTTPS_PROXY p@ss',
    'HTTPS_PROXY ada:p%40ss',
    'HTTPS_PROXY ada:p@ss',
    'DATABASE_URL hunter22',
    'DATABASE_URL switchyard:hunter22',
  ]);
});

test('an address without a password, or none at all, holds nothing', () => {
  expect(credentialsInAddresses({ HTTPS_PROXY: 'http://proxy:3128', ALL_PROXY: ':::', HTTP_PROXY: '' })).toEqual([]);
});
