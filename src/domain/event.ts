import { z } from 'zod';
import { Actor } from './actor.ts';
import { CheckItem, ExposedLogin } from './evidence.ts';
import { ForkedFrom, Needs, Reason, RunState, Usage } from './run.ts';

/** A message waits for the agent; the turn at work is interrupted for it; the run goes on because of it; the agent was given it. */
export const MessageState = z.enum(['queued', 'delivering', 'resumed', 'delivered']);
export type MessageState = z.infer<typeof MessageState>;

/**
 * What happened, in the order of a run's life: run > step > attempt > agent. The journal holds them for ever; the agent's own
 * words and tool calls (the transcript) are the same events, kept apart with a retention of their own.
 * A payload only ever gains optional fields; a change of meaning is a new kind.
 */
export const EventPayload = z.discriminatedUnion('kind', [
  // run
  z.object({
    kind: z.literal('run.started'),
    blueprint: z.string(),
    base: z.string(),
    title: z.string(),
    forkedFrom: ForkedFrom.optional(),
  }),
  z.object({ kind: z.literal('run.parked'), reason: Reason, needs: Needs, node: z.string().nullable() }),
  z.object({
    kind: z.literal('run.resumed'),
    choice: z.string(),
    note: z.string().optional(),
    head: z.string().nullable(),
    /** Where it goes on, when that is not where it waited. */
    node: z.string().optional(),
  }),
  z.object({ kind: z.literal('run.merged'), target: z.string(), commit: z.string(), tree: z.string() }),
  z.object({ kind: z.literal('run.ended'), state: RunState }),
  // step
  z.object({ kind: z.literal('step.started'), node: z.string(), n: z.int(), nodeKind: z.string() }),
  z.object({
    kind: z.literal('step.ended'),
    node: z.string(),
    n: z.int(),
    outcome: z.string(),
    checkpoint: z.string().nullable(),
    detail: z.string().optional(),
  }),
  // attempt
  z.object({ kind: z.literal('attempt.started'), node: z.string(), n: z.int(), attempt: z.int(), worker: z.string() }),
  z.object({
    kind: z.literal('attempt.ended'),
    node: z.string(),
    n: z.int(),
    attempt: z.int(),
    result: z.enum(['ended', 'taken-over', 'interrupted', 'cancelled', 'failed']),
    detail: z.string().optional(),
  }),
  // agent
  z.object({ kind: z.literal('agent.session'), node: z.string(), n: z.int(), agent: z.string(), session: z.string() }),
  z.object({ kind: z.literal('agent.text'), node: z.string(), n: z.int(), text: z.string() }),
  z.object({
    kind: z.literal('agent.tool'),
    node: z.string(),
    n: z.int(),
    call: z.string(),
    phase: z.enum(['started', 'ended']),
    name: z.string(),
    input: z.string().optional(),
    output: z.string().optional(),
    ok: z.boolean().optional(),
  }),
  z.object({
    kind: z.literal('agent.usage'),
    node: z.string(),
    n: z.int(),
    usage: Usage,
    model: z.string().optional(),
  }),
  // what the harness found, and what it has to say
  z.object({
    kind: z.literal('check.ended'),
    node: z.string(),
    n: z.int(),
    check: z.string(),
    verdict: z.enum(['pass', 'fail', 'timeout', 'error']),
    commit: z.string(),
    items: z.array(CheckItem),
    /** What it printed, shortened, when it did not pass. */
    report: z.string().optional(),
    durationMs: z.number(),
    /** Logins that were exposed in the run until then; absent where there were none. */
    exposed: z.array(ExposedLogin).optional(),
  }),
  z.object({
    kind: z.literal('message'),
    level: z.enum(['info', 'warning']),
    text: z.string(),
    node: z.string().optional(),
    n: z.int().optional(),
    /** What a person has sent to the agent: the id of the message, and what has become of it. `text` is the person's own unless `delivered`. */
    sent: z.object({ id: z.string(), state: MessageState }).optional(),
  }),
  z.object({ kind: z.literal('limit'), limit: z.string(), used: z.number(), max: z.number(), text: z.string() }),
]);
export type EventPayload = z.infer<typeof EventPayload>;
export type EventKind = EventPayload['kind'];

/** An event in a run's journal; `seq` counts from 1 within the run, without gaps; `at` is ISO 8601 in UTC. */
export const Event = z.intersection(
  z.object({ seq: z.int(), at: z.string(), run: z.string(), actor: Actor }),
  EventPayload,
);
export type Event = z.infer<typeof Event>;

const TRANSCRIPT: ReadonlySet<EventKind> = new Set(['agent.text', 'agent.tool']);

/** Whether an event belongs to the transcript, which has its own table and retention. */
export function isTranscript(kind: EventKind): boolean {
  return TRANSCRIPT.has(kind);
}
