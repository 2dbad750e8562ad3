import { z } from 'zod';
import { HandTool } from '../../domain/opening.ts';
import { RunState } from '../../domain/run.ts';

// A run that a person takes over by hand and hands back, as it goes over the wire.

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
