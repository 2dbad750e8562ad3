import { z } from 'zod';
import { MessageState } from '../domain/event.ts';
import { HandTool } from '../domain/opening.ts';
import { ForkedFrom, Needs, RunState, Usage } from '../domain/run.ts';
import { ResourceLimits, SandboxLevel, WallPromises } from '../domain/sandbox.ts';

/** What goes over the wire besides events (`domain/event.ts`). Fields are only ever added. */

/** A relative one would be taken for one below the daemon's own folder. */
export const AbsolutePath = z.string().startsWith('/', 'give an absolute path');

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

/** Beyond that, waiting would hardly ever make up for it. */
export const MOST_PRIORITY = 100;

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
  /** The higher goes first; every ten minutes of waiting count as one more. */
  priority: z.int().min(-MOST_PRIORITY).max(MOST_PRIORITY).default(0),
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
export const Retry = z.object({
  /** A node that the run has been in; without it, where the run stopped. */
  from: z.string().optional(),
  actor: z.string(),
});
export const Send = z.object({
  /** Of the message; the same one again is the same message. */
  id: z
    .string()
    .regex(/^[A-Za-z0-9-]{8,64}$/)
    .optional(),
  text: z.string(),
  /** Interrupt the turn that is at work. */
  now: z.boolean().default(false),
  actor: z.string(),
});
export const Fork = z.object({
  /** `NODE#N`; without it, the latest step that has ended. */
  from: z.string().optional(),
  agent: z.string().optional(),
  /** Said to the first agent of the fork. */
  prompt: z.string().optional(),
  actor: z.string(),
});

/** A run that a person is about to take over by hand. */
export const Open = z.object({
  tool: HandTool.optional(),
  /** For the tool `command`. */
  command: z.array(z.string()).default([]),
  /** What a program in the person's terminal needs to know of it: TERM, SHELL and the like. */
  terminal: z.record(z.string(), z.string()).default({}),
  /** The process of the command line, which runs on the server's machine. */
  pid: z.int(),
  actor: z.string(),
});
export const Opened = z.object({
  schema: z.literal(1),
  run: z.string(),
  slug: z.string(),
  opening: z.string(),
  tool: HandTool,
  /** The workspace. */
  folder: z.string(),
  /** What to start there, within the run's walls; absent for an editor, which is the person's own program outside of them. */
  program: z
    .object({
      argv: z.tuple([z.string()], z.string()),
      env: z.record(z.string(), z.string()),
      /**
       * Whether it writes one line to descriptor 3, to be handed on with `openStarted`. A program that does not, an editor too, is let begin
       * only after `openStarted`; one that is not `known` then is ended.
       */
      reports: z.boolean(),
    })
    .optional(),
  notes: z.array(z.string()),
});
export type Opened = z.infer<typeof Opened>;
export const OpenStarted = z.object({ opening: z.string(), pid: z.int(), report: z.string() });
export const OpenBack = z.object({
  /** Without it, whoever has it open is ended first. */
  opening: z.string().optional(),
  /** A run that was stopped at work stays parked. */
  stay: z.boolean().default(false),
  actor: z.string(),
});
/** What was made of a run that a person had open. */
export const HandedBack = z.object({
  schema: z.literal(1),
  run: z.string(),
  state: RunState,
  head: z.string(),
  /** The files that were changed by hand. */
  changed: z.array(z.string()),
  commits: z.int(),
  notes: z.array(z.string()),
  working: z.boolean(),
});
export type HandedBack = z.infer<typeof HandedBack>;

/** Where a run's head was checked out in the person's repository. */
export const CheckedOut = z.object({
  schema: z.literal(1),
  run: z.string(),
  branch: z.string(),
  commit: z.string(),
  folder: z.string(),
  notes: z.array(z.string()),
});
export type CheckedOut = z.infer<typeof CheckedOut>;

/** What a command on a run left it in. `note` is a sentence worth printing. */
export const Acted = z.object({
  schema: z.literal(1),
  run: z.string(),
  state: RunState,
  note: z.string().optional(),
  working: z.boolean(),
});
export type Acted = z.infer<typeof Acted>;

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

/** What becomes of a message: it waits, the turn at work is interrupted for it, or the run goes on because of it. */
export const Sent = z.object({
  schema: z.literal(1),
  run: z.string(),
  message: z.string(),
  state: MessageState.exclude(['delivered']),
  /** The same as a sentence. */
  text: z.string(),
});
export type Sent = z.infer<typeof Sent>;

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

/** A repository that is known to this home. */
export const RepositoryView = z.object({
  id: z.string(),
  path: z.string(),
  /** Nothing, or another repository, is at its path. */
  missing: z.boolean(),
  /** How many are in which state. */
  runs: z.record(z.string(), z.int()),
  /** Null where that could not be found out. */
  bytes: z.object({ store: z.number().nullable(), workspaces: z.number().nullable() }),
});
export type RepositoryView = z.infer<typeof RepositoryView>;
export const RepositoryAdded = z.object({
  schema: z.literal(1),
  repository: RepositoryView,
  /** Where it was before, if it was moved. */
  from: z.string().nullable(),
});
export type RepositoryAdded = z.infer<typeof RepositoryAdded>;
export const RepositoryRemoval = z.object({
  schema: z.literal(1),
  repository: z.string(),
  path: z.string(),
  /** `lost`: why its work would be lost. */
  runs: z.array(z.object({ id: z.string(), slug: z.string(), state: z.string(), lost: z.string().nullable() })),
  removed: z.boolean(),
});
export type RepositoryRemoval = z.infer<typeof RepositoryRemoval>;

/** What has been kept for long enough, and went or would go. */
export const Pruned = z.object({
  schema: z.literal(1),
  dryRun: z.boolean(),
  items: z.array(
    z.object({
      kind: z.enum(['trash', 'runs', 'transcripts', 'workspaces', 'bases', 'rows', 'git']),
      what: z.string(),
      /** Why it may go. */
      why: z.string(),
    }),
  ),
});
export type Pruned = z.infer<typeof Pruned>;

/** What a worker with a home of its own needs of the server. Given only over the unix socket. */
export const WorkerJoin = z.object({ databaseUrl: z.string(), repositories: z.string(), version: z.string() });

export const Failure = z.object({ code: z.string(), message: z.string(), hint: z.string() });
export type Failure = z.infer<typeof Failure>;
