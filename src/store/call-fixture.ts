import type { ModelCall } from '../domain/model-call.ts';
import type { CallOrigin } from './model-calls.ts';

/** A call of 1000 tokens in and 100 out that has cost a quarter of a dollar. */
export function someCall(id: string, changes: Partial<ModelCall> = {}): ModelCall {
  return {
    id,
    api: 'responses',
    host: 'api.example.com:443',
    model: 'some-model',
    credential: 'SOME_KEY',
    status: 200,
    outcome: 'answered',
    tokens: { input: 1000, cached: 600, cacheWrite: 50, output: 100, reasoning: 30 },
    estimated: false,
    cost: 0.25,
    startedAt: Date.UTC(2026, 10, 27, 12),
    firstByteMs: 120,
    durationMs: 2400,
    ...changes,
  };
}

export function someOrigin(changes: Partial<CallOrigin> = {}): CallOrigin {
  return {
    run: 'r1',
    task: 't1',
    person: 'ada',
    labels: ['bug'],
    repository: 'repo',
    agent: 'codex',
    step: 's1',
    attempt: 1,
    node: 'implement',
    n: 1,
    ...changes,
  };
}
