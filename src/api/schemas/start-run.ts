import { z } from 'zod';
import { SandboxLevel } from '../../domain/sandbox.ts';

// How a run begins, as it goes over the wire.

/** Beyond that, waiting would hardly ever make up for it. */
export const MOST_PRIORITY = 100;

const Label = z
  .string()
  .regex(
    /^[^\s,\p{C}](?:[^,\p{C}\p{Zl}\p{Zp}]{0,62}[^\s,\p{C}])?$/u,
    'a label has 1 to 64 characters, without commas or line ends',
  );

/** Several times the same is once. */
export const Labels = z
  .array(Label)
  .max(32, 'a task has at most 32 labels')
  .transform((labels) => [...new Set(labels)]);

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
  /** Of the task, by which use is summed and bounded. */
  labels: Labels.default([]),
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
