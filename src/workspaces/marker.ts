import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

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
});
export type Marker = z.infer<typeof Marker>;

/** The marker, undefined when there is none or it is not one of ours. */
export async function readMarker(file: string): Promise<Marker | undefined> {
  try {
    return Marker.safeParse(JSON.parse(await readFile(file, 'utf8'))).data;
  } catch {
    return undefined; // Not there, or cut off: then the workspace is not whole either.
  }
}

export async function writeMarker(file: string, marker: Marker): Promise<void> {
  const draft = `${file}.draft`;
  await writeFile(draft, JSON.stringify(marker));
  await rename(draft, file);
}

/** Changes whenever git writes the index. */
export async function indexStamp(gitDir: string): Promise<string> {
  const { ino, mtimeNs, size } = await stat(join(gitDir, 'index'), { bigint: true });
  return `${ino}-${mtimeNs}-${size}`;
}
