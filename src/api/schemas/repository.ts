import { z } from 'zod';

// A person's repositories as they go over the wire.

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
  /** Names of the secrets that are for it alone, and go with it. */
  secrets: z.array(z.string()),
  removed: z.boolean(),
});
export type RepositoryRemoval = z.infer<typeof RepositoryRemoval>;

export const Initialised = z.object({
  schema: z.literal(1),
  file: z.string(),
  text: z.string(),
  written: z.boolean(),
  notes: z.array(z.string()),
});
