import { expect, test } from 'vitest';
import type { AgentFailure } from '../../ports/agent.ts';
import { retryOf } from './retry.ts';

const failure = (failureClass: AgentFailure['class'], message = 'it failed'): AgentFailure => ({
  class: failureClass,
  message,
  hint: '',
});

test.each<[AgentFailure['class'], number]>([
  ['rate-limit', 3],
  ['network', 3],
  ['bug', 2],
  ['auth', 1],
  ['quota', 1],
  ['refused', 1],
  ['unknown', 1],
  ['unknown-session', 1],
])('a turn that fails with %s is tried %i times at most', (failureClass, most) => {
  const kinds = [1, 2, 3, 4].map((tries) => retryOf(failure(failureClass), tries).kind);
  expect(kinds).toEqual([1, 2, 3, 4].map((tries) => (tries < most ? 'again' : 'give-up')));
});

test('the pauses grow, and are minutes at most in all', () => {
  const pauses = [1, 2].map((tries) => retryOf(failure('network'), tries));
  expect(pauses).toEqual([
    { kind: 'again', pauseMs: 15_000, nextTry: 2, of: 3 },
    { kind: 'again', pauseMs: 60_000, nextTry: 3, of: 3 },
  ]);
});

test.each([
  ['429 Too Many Requests (retry-after: 20)', 20_000],
  ['Rate limit reached. Please try again in 7.5s.', 7500],
  ['Rate limit reached. Please try again in 1m30s.', 90_000],
  ['{"error":{"message":"slow down","retry_after":3}}', 3000],
  ['Retry-After: "42"', 42_000],
  ['Please retry in 120ms', 1000],
  ['wait for 2 minutes', 120_000],
  ['try again later', 15_000],
])('"%s" waits for %i ms', (message, pauseMs) => {
  expect(retryOf(failure('rate-limit', message), 1)).toMatchObject({ kind: 'again', pauseMs });
});

test('a server that asks for longer than a step waits is left to a person', () => {
  expect(retryOf(failure('rate-limit', 'try again in 2 hours'), 1)).toEqual({ kind: 'give-up', askedMs: 7_200_000 });
});
