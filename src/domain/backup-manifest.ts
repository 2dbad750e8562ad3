import { z } from 'zod';

/** `manifest.json` of a backup: what is in it. Fields are only ever added. */
export const BackupManifest = z.object({
  kind: z.literal('switchyard-backup'),
  schema: z.literal(1),
  at: z.string(),
  /** Of the Switchyard that wrote it. */
  version: z.string(),
  /** Of the database that it was written from. */
  migrations: z.array(z.string()),
  /** Rows by table. */
  rows: z.record(z.string(), z.int()),
  repositories: z.array(
    z.object({
      id: z.string(),
      path: z.string(),
      /** The bundle; null for a git store without a ref. */
      file: z.string().nullable(),
      /** The key that private files in its checkpoints are encrypted under; not in backups from before there was one. */
      key: z.string().optional(),
      refs: z.int(),
      /** Commits that the database names and the git store did not have. */
      missing: z.array(z.string()),
    }),
  ),
  /** SHA-256 of every other file, by path within the backup. */
  files: z.record(z.string(), z.string()),
});
export type BackupManifest = z.infer<typeof BackupManifest>;
