import { z } from 'zod';
import { Needs, RunState, Usage } from '../domain/run.ts';
import { SandboxLevel } from '../domain/sandbox.ts';

/** What goes over the wire besides events (`domain/event.ts`). Fields are only ever added. */

export const Health = z.object({
  schema: z.literal(1),
  version: z.string(),
  pid: z.int(),
  home: z.string(),
  startedAt: z.string(),
  testMode: z.boolean(),
  database: z.enum(['embedded', 'external']),
  workers: z.array(
    z.object({ id: z.string(), machine: z.string(), pid: z.int(), running: z.int(), self: z.boolean() }),
  ),
  runs: z.object({ queued: z.int(), running: z.int(), parked: z.int() }),
});
export type Health = z.infer<typeof Health>;

export const StartRun = z.object({
  task: z.string(),
  /** Any path inside the person's repository. */
  repository: z.string(),
  blueprint: z.string().optional(),
  agent: z.string().optional(),
  base: z.string().optional(),
  /** As written on the command line: `{ silence: "30s" }`. */
  limits: z.record(z.string(), z.string()).default({}),
  yes: z.boolean().default(false),
  includeDirty: z.boolean().default(false),
  sandbox: SandboxLevel.optional(),
  requester: z.string(),
});
export type StartRun = z.input<typeof StartRun>;

export const RunStarted = z.object({
  schema: z.literal(1),
  run: z.string(),
  task: z.string(),
  slug: z.string(),
  /** What the person should know before it works: dirty files left out, uncommitted configuration, limits held down. */
  notes: z.array(z.string()),
});
export type RunStarted = z.infer<typeof RunStarted>;

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
  merged: z.object({ commit: z.string(), tree: z.string() }).optional(),
  limits: z.record(z.string(), z.object({ used: z.number(), max: z.number() })),
  usage: Usage,
  sandbox: z.string(),
});
export type RunSummary = z.infer<typeof RunSummary>;

export const RunDetail = RunSummary.extend({ steps: z.array(StepView) });
export type RunDetail = z.infer<typeof RunDetail>;

export const RunDiff = z.object({
  schema: z.literal(1),
  base: z.string(),
  head: z.string(),
  stat: z.string(),
  patch: z.string(),
});
export type RunDiff = z.infer<typeof RunDiff>;

export const Decide = z.object({
  /** Without it `approved`, which must then be offered. */
  choice: z.string().optional(),
  /** The head that was looked at; refused when it has moved. */
  head: z.string().optional(),
  note: z.string().optional(),
  actor: z.string(),
});
export const Merge = z.object({ to: z.string().optional(), push: z.boolean().default(false), actor: z.string() });
export const ByPerson = z.object({ actor: z.string() });

/** What a command on a run left it in. `note` is a sentence worth printing. */
export const Acted = z.object({
  schema: z.literal(1),
  run: z.string(),
  state: RunState,
  note: z.string().optional(),
  working: z.boolean(),
});
export type Acted = z.infer<typeof Acted>;

/** One screen: where the run is, why it waits, what it needs. */
export const Why = z.object({
  schema: z.literal(1),
  run: z.string(),
  state: RunState,
  lines: z.array(z.string()),
  needs: Needs.optional(),
});
export type Why = z.infer<typeof Why>;

export const BlueprintRow = z.object({
  name: z.string(),
  summary: z.string(),
  source: z.enum(['shipped', 'repository', 'checkout']),
});
export const BlueprintView = z.object({
  schema: z.literal(1),
  name: z.string(),
  file: z.string(),
  text: z.string(),
  drawing: z.string(),
});
export const ProblemView = z.object({
  file: z.string(),
  line: z.int(),
  column: z.int().optional(),
  message: z.string(),
  hint: z.string().optional(),
});
export const BlueprintChecked = z.object({
  schema: z.literal(1),
  ok: z.boolean(),
  problems: z.array(ProblemView),
  notes: z.array(z.string()),
});

export const Initialised = z.object({
  schema: z.literal(1),
  file: z.string(),
  text: z.string(),
  written: z.boolean(),
  notes: z.array(z.string()),
});

/** What a worker with a home of its own needs of the server. Given only over the unix socket. */
export const WorkerJoin = z.object({ databaseUrl: z.string(), repositories: z.string(), version: z.string() });

export const Failure = z.object({ code: z.string(), message: z.string(), hint: z.string() });
export type Failure = z.infer<typeof Failure>;
