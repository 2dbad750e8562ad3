import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SwitchyardError } from '../lib/error.ts';

/** What checkpoints keep of private files is encrypted under. In the store's folder, but not among its objects, which git in its walls sees. */
export const KEY_FILE = 'checkpoint.key';

const LENGTH = 32;

/**
 * The key of a git store, made when there is none; all who make it at the same time get the same. For its owner alone to read, and on the
 * disk before anything is encrypted under it. `workspace/bad-key` for a file that is none.
 */
export async function checkpointKey(store: string): Promise<Buffer> {
  const path = join(store, KEY_FILE);
  const key = (await readKey(path)) ?? (await makeKey(store, path));
  if (key.length === LENGTH) return key;
  throw new SwitchyardError({
    code: 'workspace/bad-key',
    message: `${path} is no key: it holds ${key.length} bytes instead of ${LENGTH}.`,
    hint: 'Put the one of a backup there. Without it, remove the file: what checkpoints kept of sessions and carried files is lost then.',
  });
}

/** Gives a store that has none the key of another, whose checkpoints it holds. Rejects where there is one. */
export async function putKey(store: string, key: Buffer): Promise<void> {
  await using file = await open(join(store, KEY_FILE), 'wx', 0o600);
  await file.writeFile(key);
  await file.sync();
}

async function readKey(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function makeKey(store: string, path: string): Promise<Buffer> {
  const draft = `${path}.draft-${randomBytes(6).toString('hex')}`;
  try {
    await using file = await open(draft, 'wx', 0o600);
    await file.writeFile(randomBytes(LENGTH));
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(store);
  return readFile(path);
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}
