import { expect, test } from 'vitest';
import { ModelApi } from '../../../domain/model-call.ts';
import type { Problem } from '../wire.ts';
import { wireOf } from './index.ts';

const FINAL: readonly Problem[] = [
  { status: 401, kind: 'auth', message: 'one' },
  { status: 403, kind: 'refused', message: 'two' },
  { status: 413, kind: 'too-large', message: 'three' },
  { status: 402, kind: 'limit', message: 'four' },
  { status: 429, kind: 'quota', message: 'five' },
];
const PASSING: readonly Problem[] = [
  { status: 429, kind: 'rate-limit', message: 'six' },
  { status: 529, kind: 'rate-limit', message: 'seven' },
  { status: 502, kind: 'unreachable', message: 'eight' },
];

test.each(ModelApi.options)('%s says what went wrong where its clients look for it', (api) => {
  for (const problem of [...FINAL, ...PASSING]) {
    expect(wireOf(api).failure(problem)).toMatchObject({ error: { message: problem.message } });
  }
});

test.each(ModelApi.options)('%s has what is final not tried again', (api) => {
  for (const problem of FINAL) {
    const { status, headers } = wireOf(api).failureHead(problem);
    expect(status, problem.kind).toBeGreaterThanOrEqual(400);
    expect(status, problem.kind).toBeLessThan(429);
    expect(headers).toEqual({ 'x-should-retry': 'false' });
  }
});

test.each(ModelApi.options)('%s has what may pass tried again, with the status that it has', (api) => {
  for (const problem of PASSING) {
    expect(wireOf(api).failureHead(problem)).toEqual({ status: problem.status, headers: {} });
  }
});

test('the body of gemini has the status of its head', () => {
  for (const problem of [...FINAL, ...PASSING]) {
    const { status } = wireOf('gemini').failureHead(problem);
    expect(wireOf('gemini').failure(problem)).toMatchObject({ error: { code: status } });
  }
});
