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
});
export type CheckEvidence = z.infer<typeof CheckEvidence>;
