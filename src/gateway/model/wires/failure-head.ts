import type { FailureHead, Problem } from '../wire.ts';

/** What does not get better by asking again. */
const FINAL: ReadonlySet<Problem['kind']> = new Set(['auth', 'refused', 'too-large', 'limit', 'quota']);

/**
 * The head of a failure's answer, with the protocol's own statuses for some kinds. Clients that are made with OpenAI's or Anthropic's packages go
 * by `x-should-retry`, whatever the status.
 */
export function failureHead(
  { status, kind }: Problem,
  statuses: Readonly<Partial<Record<Problem['kind'], number>>>,
): FailureHead {
  return { status: statuses[kind] ?? status, headers: FINAL.has(kind) ? { 'x-should-retry': 'false' } : {} };
}
