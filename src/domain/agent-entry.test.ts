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
