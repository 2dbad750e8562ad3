import { z } from 'zod';

// The server itself, as it goes over the wire.

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
  runs: z.object({
    queued: z.int(),
    running: z.int(),
    parked: z.int(),
    /** Those of the parked ones that wait for no person: they go on by themselves. */
    timed: z.int().optional(),
  }),
});
export type Health = z.infer<typeof Health>;

/** What a worker with a home of its own needs of the server. Given only over the unix socket. */
export const WorkerJoin = z.object({
  databaseUrl: z.string(),
  repositories: z.string(),
  version: z.string(),
  /** The server's home, from whose store secrets are read. */
  home: z.string(),
});

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

export const Failure = z.object({ code: z.string(), message: z.string(), hint: z.string() });
export type Failure = z.infer<typeof Failure>;
