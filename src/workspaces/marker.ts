import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { putOwnFile, readOwnFile } from '../lib/own-file.ts';

/** A base of the repository. */
const BaseName = z.string().regex(/^(source|dependencies)-[0-9a-f]+$/);

/** What a workspace says of itself; written last, so that one without it is not whole. Agents cannot reach it. */
export const Marker = z.object({
  version: z.literal(1),
  slug: z.string(),
  head: z.object({ commit: z.string(), tree: z.string(), date: z.string() }),
  /** The tree that the index holds as long as it has this stamp. */
  index: z.object({ tree: z.string(), stamp: z.string(), settled: z.boolean() }).nullable(),
  /** Where the run's head ref in the store was left from here. */
  kept: z.string().nullable(),
  /** The last collecting: the step that it was for, and the head that it began at. */
  collected: z.object({ step: z.string(), from: z.string() }).nullable(),
  /** Checkpoints whose state is in these files: made here, or begun with. Newest last. */
  checkpoints: z.array(z.string()),
  /** Who laid the files, over which bases, topmost first; not there where they were written one by one. */
  laid: z.object({ provider: z.string(), tree: z.array(BaseName), home: z.array(BaseName) }).optional(),
  /** What programs may read of the store's objects; an earlier build, which does not say it, showed them all. */
  shows: z.literal('own').optional(),
});
export type Marker = z.infer<typeof Marker>;

/** The marker, undefined when there is none or it is not one of ours. */
export async function readMarker(file: string): Promise<Marker | undefined> {
  try {
    return Marker.safeParse(JSON.parse((await readOwnFile(file)) ?? '')).data;
  } catch {
    return undefined; // Not there, or cut off: then the workspace is not whole either.
  }
}

export async function writeMarker(file: string, marker: Marker): Promise<void> {
  await putOwnFile(file, JSON.stringify(marker));
}

/** Changes whenever git writes the index. */
export async function indexStamp(gitDir: string): Promise<string> {
  const { ino, mtimeNs, size } = await lstat(join(gitDir, 'index'), { bigint: true });
  return `${ino}-${mtimeNs}-${size}`;
}
