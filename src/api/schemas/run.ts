import { z } from 'zod';
import { ExposedLogin } from '../../domain/evidence.ts';
import { ForkedFrom, Needs, RunState, Usage } from '../../domain/run.ts';
import { ResourceLimits, WallPromises } from '../../domain/sandbox.ts';

// What a run looks like over the wire.

export const StepView = z.object({
  node: z.string(),
  n: z.int(),
  kind: z.string(),
  state: z.string(),
  outcome: z.string().nullable(),
  detail: z.string().optional(),
  attempts: z.int(),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  checkpoint: z.string().nullable(),
  /** Of the run that this one was forked from; absent where it is this run's own. */
  copied: z.literal(true).optional(),
  /** Made by a person's message. */
  followUp: z.literal(true).optional(),
});
export type StepView = z.infer<typeof StepView>;

export const RunSummary = z.object({
  schema: z.literal(1),
  id: z.string(),
  slug: z.string(),
  task: z.string(),
  title: z.string(),
  repository: z.string(),
  blueprint: z.string(),
  agent: z.string().nullable(),
  requester: z.string(),
  createdAt: z.string(),
  endedAt: z.string().nullable(),
  state: RunState,
  base: z.object({ ref: z.string(), commit: z.string() }),
  head: z.string(),
  /** The branch that a merge goes to; null when the run began from a detached head or a bare commit. */
  target: z.string().nullable(),
  /** The branch in the person's repository, once delivered. */
  branch: z.string().nullable(),
  merged: z.object({ commit: z.string(), tree: z.string(), target: z.string().optional() }).optional(),
  /** The step of another run up to which its history is that one's. */
  forkedFrom: ForkedFrom.optional(),
  limits: z.record(z.string(), z.object({ used: z.number(), max: z.number() })),
  usage: Usage,
  sandbox: z.string(),
  /** The step that it is in, else the last one that it was in; null before the first. `waiting`: it has no place to work yet. */
  at: z.object({ node: z.string(), n: z.int(), state: z.string() }).nullable(),
});
export type RunSummary = z.infer<typeof RunSummary>;

export const RunDetail = RunSummary.extend({
  steps: z.array(StepView),
  /** What the walls of the run promised when it began; what it may reach, and use. */
  walls: WallPromises.extend({ network: z.array(z.string()), resources: ResourceLimits }).optional(),
  /** Logins that lay within the walls of its agents, since when (ISO 8601 in UTC); absent where there were none. */
  exposed: z.array(ExposedLogin.extend({ since: z.string() })).optional(),
});
export type RunDetail = z.infer<typeof RunDetail>;

export const RunDiff = z.object({
  schema: z.literal(1),
  base: z.string(),
  head: z.string(),
  stat: z.string(),
  patch: z.string(),
  /** What was not committed in the checkout and taken along: the first commit of the run, which the patch leaves out. */
  included: z.object({ commit: z.string(), files: z.array(z.string()) }).optional(),
});
export type RunDiff = z.infer<typeof RunDiff>;

const Waits = z.object({
  kind: z.enum([
    'limits.agents',
    'limits.perRepository',
    'limits.perProvider',
    'limits.perPerson',
    'others',
    'branch',
    'refs',
    'next',
    'worker',
  ]),
  /** The limit's figure. */
  max: z.int().optional(),
  by: z.array(z.object({ run: z.string(), slug: z.string(), node: z.string(), n: z.int() })).readonly(),
  /** Steps of the same sort that go before it. */
  ahead: z.int(),
  text: z.string(),
});

/** One screen: where the run is, why it waits, what it needs. */
export const Why = z.object({
  schema: z.literal(1),
  run: z.string(),
  state: RunState,
  lines: z.array(z.string()),
  /** Why its step is not being worked on yet, and which steps have the places that it waits for. */
  waits: Waits.optional(),
  needs: Needs.optional(),
});
export type Why = z.infer<typeof Why>;
