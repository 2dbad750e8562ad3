import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';

const compressed = promisify(deflate);

/**
 * Writes an object into a repository the way git does, without a process of git: the content decides the name, and the file appears
 * whole, is on the disk when this returns, and is never changed. The repository's object format is that of `like`, one of its ids.
 */
export async function writeLooseObject(gitDir: string, { type, content, like }: LooseObject): Promise<string> {
  const whole = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
  const id = createHash(like.length === 64 ? 'sha256' : 'sha1')
    .update(whole)
    .digest('hex');
  const folder = join(gitDir, 'objects', id.slice(0, 2));
  const path = join(folder, id.slice(2));
  if (await exists(path)) return id;
  await mkdir(folder, { recursive: true });
  const draft = join(folder, `tmp_obj_${randomBytes(6).toString('hex')}`);
  try {
    await using file = await open(draft, 'wx', 0o444);
    await file.writeFile(await compressed(whole));
    await file.sync();
    await link(draft, path).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  return id;
}

export interface LooseObject {
  readonly type: 'commit' | 'tree';
  readonly content: Buffer;
  readonly like: string;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
