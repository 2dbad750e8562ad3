import { z } from 'zod';

/** Why a parked run waits, and what it needs. Every park offers `retry` and `abandoned`. */
export const Needs = z.object({
  kind: z.enum(['approval', 'limit', 'conflict', 'checkout', 'error']),
  choices: z.array(z.string()),
  head: z.string().nullable(),
  /** Files in conflict, or dirty in the way of a merge. */
  files: z.array(z.string()).optional(),
  /** What the person is asked, in markdown. */
  ask: z.string().optional(),
  /** When the run goes on by itself, as ISO 8601 in UTC. */
  until: z.iso.datetime().optional(),
  /** The check with which a retry begins, because a person has changed files by hand since the run waits. */
  verify: z.string().optional(),
});
export type Needs = z.infer<typeof Needs>;

/** `code` is stable (`merge/checkout-dirty`, `limit/wall`, …); `message` is for people. */
export const Reason = z.object({ code: z.string(), message: z.string() });
export type Reason = z.infer<typeof Reason>;

/**
 *     queued → running ⇄ parked → succeeded | failed | cancelled
 *     succeeded, failed, cancelled → running, when a person sends a message or has it tried again
 *     parked, succeeded, failed, cancelled → discarded → (restore) the state before
 */
export const RunState = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('queued') }),
  z.object({ kind: z.literal('running') }),
  z.object({ kind: z.literal('parked'), reason: Reason, needs: Needs }),
  z.object({ kind: z.literal('succeeded'), end: z.string() }),
  z.object({ kind: z.literal('failed'), reason: Reason }),
  z.object({ kind: z.literal('cancelled') }),
  z.object({ kind: z.literal('discarded'), reason: Reason.optional() }),
]);
export type RunState = z.infer<typeof RunState>;
export type RunStateKind = RunState['kind'];

/** The step of another run up to which a run's history is that one's. */
export const ForkedFrom = z.object({ run: z.string(), slug: z.string(), node: z.string(), n: z.int() });
export type ForkedFrom = z.infer<typeof ForkedFrom>;

/** A run in one of these does nothing more by itself. */
export function isEnded(kind: RunStateKind): boolean {
  return kind === 'succeeded' || kind === 'failed' || kind === 'cancelled' || kind === 'discarded';
}

/** `has succeeded`, `was cancelled`, `is running`; with a word such as `already` where it belongs. */
export function stateVerb(kind: RunStateKind, adverb?: string): string {
  const verb = kind === 'succeeded' || kind === 'failed' ? 'has' : isEnded(kind) ? 'was' : 'is';
  return [verb, adverb, kind].filter((word) => word !== undefined).join(' ');
}

/** A step: waiting for admission, handed to the queue, being worked on, or over. */
export const StepState = z.enum(['waiting', 'admitted', 'running', 'ended']);
export type StepState = z.infer<typeof StepState>;

/** Tokens as the agent reports them; `cost` in US dollars, null when nobody knows the price. */
export const Usage = z.object({
  input: z.number(),
  output: z.number(),
  cached: z.number(),
  reasoning: z.number(),
  cost: z.number().nullable(),
});
export type Usage = z.infer<typeof Usage>;

export const NO_USAGE: Usage = { input: 0, output: 0, cached: 0, reasoning: 0, cost: null };

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cached: a.cached + b.cached,
    reasoning: a.reasoning + b.reasoning,
    cost: a.cost === null && b.cost === null ? null : (a.cost ?? 0) + (b.cost ?? 0),
  };
}

/** What has been used beyond an earlier amount of the same. */
export function usageSince(before: Usage, now: Usage): Usage {
  return {
    input: now.input - before.input,
    output: now.output - before.output,
    cached: now.cached - before.cached,
    reasoning: now.reasoning - before.reasoning,
    cost: now.cost === null ? null : now.cost - (before.cost ?? 0),
  };
}

/** What a run has consumed of its limits, kept across restarts. Milliseconds of wall time exclude parking. */
export const Consumed = z.object({
  wall: z.number(),
  turns: z.number(),
  /** As the gateway counted it; of agents that go to their model by themselves, as they report it. */
  usage: Usage,
  /** What agents whose use the gateway counted have reported themselves. */
  reported: Usage.optional(),
});
export type Consumed = z.infer<typeof Consumed>;
