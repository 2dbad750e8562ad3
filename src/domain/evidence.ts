import { z } from 'zod';

/** One finding of a check. Lines and columns count from 1. */
export const CheckItem = z.object({
  rule: z.string().optional(),
  file: z.string().optional(),
  line: z.int().optional(),
  column: z.int().optional(),
  message: z.string(),
  remediation: z.string().optional(),
});
export type CheckItem = z.infer<typeof CheckItem>;

/** A login that lay within the walls of a run's agent, where whatever ran there could read it: whose, and which file. */
export const ExposedLogin = z.object({ agent: z.string(), login: z.string() });
export type ExposedLogin = z.infer<typeof ExposedLogin>;

/** What one check said about one commit. `tree` is that commit's tree, so that evidence survives a rewrite of the commit alone. */
export const CheckEvidence = z.object({
  name: z.string(),
  kind: z.string(),
  verdict: z.enum(['pass', 'fail', 'timeout', 'error']),
  commit: z.string(),
  tree: z.string(),
  items: z.array(CheckItem),
  report: z.string(),
  durationMs: z.number(),
  /** Logins that were exposed in the run until then; absent where there were none. */
  exposed: z.array(ExposedLogin).optional(),
});
export type CheckEvidence = z.infer<typeof CheckEvidence>;
