import { expect, test } from 'vitest';
import type { ModelApi } from '../../../domain/model-call.ts';
import { type ModelReply, startModelServer } from '../../../testing/model-server.ts';
import { wireOf } from './index.ts';

// What a model server sends over HTTP, in the pieces in which it comes.

const SAY: ModelReply = { text: 'Hello, this is the model. '.repeat(40) };
const CALL: ModelReply = { tool: 'write', input: { path: 'a.txt', text: 'x'.repeat(300) } };

const question = [{ role: 'user', content: 'Hello?' }];
const REQUESTS: Readonly<Record<ModelApi, (stream: boolean) => readonly [path: string, body: object]>> = {
  anthropic: (stream) => ['/messages', { model: 'claude-x', max_tokens: 100, messages: question, stream }],
  responses: (stream) => ['/responses', { model: 'gpt-x', input: question, stream }],
  chat: (stream) => ['/chat/completions', { model: 'gpt-x', messages: question, stream }],
  gemini: (stream) => [
    `/../v1beta/models/gemini-x:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    { contents: [{ role: 'user', parts: [{ text: 'Hello?' }] }] },
  ],
};
const cases = (['anthropic', 'responses', 'chat', 'gemini'] as const).flatMap((api) =>
  [true, false].map((isStream) => ({ api, isStream })),
);

async function ask(api: ModelApi, isStream: boolean, server: { readonly baseUrl: string }) {
  const [path, body] = REQUESTS[api](isStream);
  const wire = wireOf(api);
  const asked = wire.askingForUsage?.(body as Record<string, unknown>) ?? body;
  const answer = await fetch(new URL(`${server.baseUrl}${path}`), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...wire.credential('key', 'KEY') },
    body: JSON.stringify(asked),
  });
  const reader = wire.reader(answer.headers.get('content-type') ?? undefined);
  for await (const piece of answer.body ?? []) reader.take(piece as Uint8Array);
  return { status: answer.status, seen: reader.seen };
}

test.each(cases)('$api, stream $isStream: a text is counted, and what it used', async ({ api, isStream }) => {
  await using server = await startModelServer(() => SAY);
  const { status, seen } = await ask(api, isStream, server);
  expect(status).toBe(200);
  expect(seen).toMatchObject({
    isWhole: true,
    produced: SAY.text.length,
    error: undefined,
    tokens: { input: 100, output: 10 },
  });
});

test.each(cases)('$api, stream $isStream: a call of a tool is counted, and what it used', async ({ api, isStream }) => {
  await using server = await startModelServer(() => CALL);
  const { seen } = await ask(api, isStream, server);
  expect(seen).toMatchObject({ isWhole: true, tokens: { input: 100, output: 10 } });
  expect(seen.produced).toBe('write'.length + JSON.stringify(CALL.input).length);
});
