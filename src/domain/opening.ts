import { z } from 'zod';
import { RunState } from './run.ts';

/** With what a person works in a run's workspace. */
export const HandTool = z.enum(['agent', 'shell', 'editor', 'command']);
export type HandTool = z.infer<typeof HandTool>;

/**
 * A run that a person has taken over by hand. While it is `asked`, its step is being stopped; while it is `open`, the run is parked, no
 * step of it is let in, and its workspace is the person's. Gone when it is handed back.
 */
export const Opening = z.object({
  id: z.string(),
  by: z.string(),
  tool: HandTool,
  phase: z.enum(['asked', 'open']),
  /** When it was last asked for, in milliseconds: whoever asks says so again and again, as long as he lives. */
  askedAt: z.number(),
  /** The worker that has the workspace. */
  worker: z.string(),
  /** The process of the command line that runs the tool. */
  client: z.object({ pid: z.int(), start: z.string().optional() }),
  /** The tool's program, once the server has heard of it. One without a `namespace` is outside of all walls, and only the person can end it. */
  program: z.object({ pid: z.int(), start: z.string().optional(), namespace: z.string().optional() }).optional(),
  /** Whether the workspace may hold what a person has done: a program was started there, now or before this was taken over. */
  used: z.boolean(),
  /** Walls whose processes must be gone before the workspace is used again. */
  namespaces: z.array(z.string()),
  /** The state that the run comes back to; of one that was stopped at work, `running` or `queued`. */
  before: RunState,
});
export type Opening = z.infer<typeof Opening>;
