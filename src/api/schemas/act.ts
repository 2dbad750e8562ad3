import { z } from 'zod';
import { RunState } from '../../domain/run.ts';

// What a person does about a run, as it goes over the wire, and what came of it.

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

export const Fork = z.object({
  /** `NODE#N`; without it, the latest step that has ended. */
  from: z.string().optional(),
  agent: z.string().optional(),
  /** Said to the first agent of the fork. */
  prompt: z.string().optional(),
  actor: z.string(),
});

/** What a command on a run left it in. `note` is a sentence worth printing. */
export const Acted = z.object({
  schema: z.literal(1),
  run: z.string(),
  state: RunState,
  note: z.string().optional(),
  working: z.boolean(),
});
export type Acted = z.infer<typeof Acted>;

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
