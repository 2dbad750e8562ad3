import { z } from 'zod';

/** A process that a repository has beside a run's programs, such as a database, as it is stored with the run. */
export const Service = z.object({
  name: z.string(),
  /** A line for `sh -c`. */
  run: z.string(),
  /** Where it listens on its loopback, and where programs find it on theirs. */
  port: z.int(),
  /** A line for `sh -c` that ends with 0 once it can be used; without it, that its port answers is enough. */
  ready: z.string().optional(),
  /** How long it may take until it can be used. */
  timeoutMs: z.int().positive(),
  /** How long it may take to end after SIGINT, and again after SIGTERM. */
  stopMs: z.int().nonnegative(),
  /** The folder that it is started in, within the repository; without it, the repository's own. */
  path: z.string().optional(),
  /** Started only when setup has run; without it, setup can use it already. */
  after: z.literal('setup').optional(),
});
export type Service = z.infer<typeof Service>;
