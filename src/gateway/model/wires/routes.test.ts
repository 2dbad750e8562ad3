import { expect, test } from 'vitest';
import { ModelApi } from '../../../domain/model-call.ts';
import { wireOf } from './index.ts';

const CALL = { kind: 'call' };
const FREE = { kind: 'free' };

test.each([
  ['anthropic', 'POST', '/v1/messages', CALL],
  ['anthropic', 'POST', '/messages', CALL],
  ['anthropic', 'POST', '/v1/messages/count_tokens', FREE],
  ['anthropic', 'HEAD', '/', FREE],
  ['anthropic', 'GET', '/', FREE],
  ['anthropic', 'GET', '/v1/models', FREE],
  ['anthropic', 'GET', '/v1/models/claude-x-4.5', FREE],
  ['responses', 'POST', '/responses', CALL],
  ['responses', 'POST', '/responses/compact', CALL],
  ['responses', 'GET', '/models', FREE],
  ['chat', 'POST', '/chat/completions', CALL],
  ['chat', 'GET', '/models', FREE],
  ['chat', 'GET', '/models/maker/model:free', FREE],
  ['gemini', 'POST', '/v1beta/models/gemini-2.5-pro:streamGenerateContent', { ...CALL, model: 'gemini-2.5-pro' }],
  ['gemini', 'POST', '/v1beta/models/gemini-2.5-pro:generateContent', { ...CALL, model: 'gemini-2.5-pro' }],
  ['gemini', 'POST', '/models/gemini-2.5-pro:generateContent', { ...CALL, model: 'gemini-2.5-pro' }],
  ['gemini', 'POST', '/v1beta/models/gemini-2.5-pro:countTokens', FREE],
  ['gemini', 'GET', '/v1beta/models', FREE],
  ['gemini', 'GET', '/v1beta/models/gemini-2.5-pro', FREE],
] as const)('%s: %s %s is let through', (api, method, path, route) => {
  expect(wireOf(api).route(method, path)).toEqual(route);
});

test.each([
  ['anthropic', 'GET', '/v1/messages'],
  ['anthropic', 'DELETE', '/v1/models/claude-x'],
  ['anthropic', 'POST', '/v1/messages/batches'],
  ['anthropic', 'POST', '/v1/files'],
  ['anthropic', 'GET', '/v1/organizations/me'],
  ['anthropic', 'POST', '/v2/messages'],
  ['responses', 'GET', '/responses'],
  ['responses', 'GET', '/responses/resp_1'],
  ['responses', 'DELETE', '/responses/resp_1'],
  ['responses', 'POST', '/responses/resp_1/cancel'],
  ['responses', 'POST', '/chat/completions'],
  ['responses', 'GET', '/files'],
  ['chat', 'GET', '/chat/completions'],
  ['chat', 'POST', '/responses'],
  ['chat', 'POST', '/embeddings'],
  ['gemini', 'POST', '/v1beta/models/gemini-2.5-pro:embedContent'],
  ['gemini', 'GET', '/v1beta/models/gemini-2.5-pro:generateContent'],
  ['gemini', 'POST', '/v1beta/tunedModels/mine:generateContent'],
  ['gemini', 'POST', '/upload/v1beta/files'],
  ['gemini', 'POST', '/v1beta/cachedContents'],
] as const)('%s: %s %s is not needed, and refused', (api, method, path) => {
  expect(wireOf(api).route(method, path)).toBeUndefined();
});

test.each(ModelApi.options)('%s: a path that a server may read as another one is refused', (api) => {
  const good = ['/v1/messages', '/responses', '/chat/completions', '/models', '/v1beta/models/m:generateContent'];
  const twists: readonly ((path: string) => string)[] = [
    (path) => `/..${path}`,
    (path) => `/x/..${path}`,
    (path) => `/./${path.slice(1)}`,
    (path) => `/${path}`,
    (path) => path.replace(/(.)\//, '$1//'),
    (path) => path.replace(/(.)\//, '$1%2f'),
    (path) => path.replace(/(.)\//, '$1%2F..%2F'),
    (path) => path.replace(/(.)\//, '$1\\'),
    (path) => `${path}/`,
    (path) => `${path}/..`,
    (path) => `${path}%00`,
    (path) => `${path};a=b`,
    (path) => `${path}?x`,
    (path) => `${path}#x`,
    (path) => `${path}\n`,
    (path) => path.toUpperCase(),
    (path) => `http://elsewhere${path}`,
    (path) => path.slice(1),
  ];
  const routes = twists.flatMap((twist) => {
    const twisted = good.filter((path) => twist(path) !== path).map(twist);
    return twisted.map((path) => [path, wireOf(api).route('POST', path) ?? wireOf(api).route('GET', path)] as const);
  });
  expect(routes.filter(([, route]) => route !== undefined)).toEqual([]);
});

test('a model is named by the body, where the path does not name it', () => {
  for (const api of ['anthropic', 'responses', 'chat'] as const) {
    expect(wireOf(api).modelOf({ model: 'm' })).toBe('m');
    expect(wireOf(api).modelOf({ model: 7 })).toBeUndefined();
    expect(wireOf(api).modelOf({ model: '' })).toBeUndefined();
    expect(wireOf(api).modelOf(null)).toBeUndefined();
  }
  expect(wireOf('gemini').modelOf({ model: 'm' })).toBeUndefined();
});

test('a stream of Chat Completions is asked what it used, beside what it was asked anyway', () => {
  const ask = (body: Readonly<Record<string, unknown>>) => wireOf('chat').askingForUsage?.(body);
  const body = { model: 'm', stream: true };
  expect(ask(body)).toEqual({ ...body, stream_options: { include_usage: true } });
  expect(ask({ ...body, stream_options: { include_usage: false, x: 1 } })).toEqual({
    ...body,
    stream_options: { include_usage: true, x: 1 },
  });
  expect(ask({ ...body, stream_options: null })).toEqual({ ...body, stream_options: { include_usage: true } });
});

test('a request that says what it used by itself is left as it is', () => {
  const ask = (body: Readonly<Record<string, unknown>>) => wireOf('chat').askingForUsage?.(body);
  expect(ask({ model: 'm' })).toBeUndefined();
  expect(ask({ model: 'm', stream: false })).toBeUndefined();
  expect(ask({ model: 'm', stream: true, stream_options: { include_usage: true } })).toBeUndefined();
  expect(ModelApi.options.filter((api) => wireOf(api).askingForUsage !== undefined)).toEqual(['chat']);
});
