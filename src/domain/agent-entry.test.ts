import { expect, test } from 'vitest';
import { AgentEntry, providersOf } from './agent-entry.ts';

test('an agent counts under its name, its kind and the host of its endpoint', () => {
  const entry = AgentEntry.parse({
    kind: 'codex',
    endpoint: { api: 'responses', baseUrl: 'http://127.0.0.1:4010/v1' },
  });
  expect(providersOf('fast', entry)).toEqual(['fast', 'codex', '127.0.0.1:4010']);
  expect(providersOf('codex', AgentEntry.parse({ kind: 'codex' }))).toEqual(['codex']);
});

test.each([
  [{ kind: 'bedrock', region: 'us-east-1' }, 'https://bedrock-runtime.us-east-1.amazonaws.com'],
  [{ kind: 'bedrock', region: 'cn-north-1' }, 'https://bedrock-runtime.cn-north-1.amazonaws.com.cn'],
  [{ kind: 'vertex', project: 'my-project', region: 'us-east5' }, 'https://us-east5-aiplatform.googleapis.com'],
  [{ kind: 'vertex', project: 'my-project', region: 'global' }, 'https://aiplatform.googleapis.com'],
  [{ kind: 'vertex', project: 'my-project', region: 'eu' }, 'https://aiplatform.eu.rep.googleapis.com'],
])('the address of the cloud %j is known', (cloud, address) => {
  const parse = (endpoint: object) => AgentEntry.parse({ kind: 'claude', endpoint: { api: 'anthropic', ...endpoint } });
  expect(parse({ cloud }).endpoint?.baseUrl).toBe(address);
  const own = parse({ cloud, baseUrl: 'http://127.0.0.1:4010' });
  expect(own.endpoint?.baseUrl).toBe('http://127.0.0.1:4010');
  expect(AgentEntry.parse(own)).toEqual(own);
});

test('an endpoint that is no cloud’s needs an address', () => {
  const read = AgentEntry.safeParse({ kind: 'claude', endpoint: { api: 'anthropic' } });
  expect(read.error?.issues).toMatchObject([{ path: ['endpoint', 'baseUrl'] }]);
});

test('nothing that a region or a project says leads to another host', () => {
  for (const cloud of [
    { kind: 'bedrock', region: 'evil.example.com/' },
    { kind: 'vertex', project: '../x', region: 'global' },
    { kind: 'vertex', project: 'x', region: 'evil.example.com#' },
  ]) {
    expect(AgentEntry.safeParse({ kind: 'claude', endpoint: { api: 'anthropic', cloud } }).success).toBe(false);
  }
});
