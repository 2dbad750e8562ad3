import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, SwitchyardError } from './error.ts';
import { pause } from './wait-until.ts';

/** Who holds a lock; a note for people and messages, never a proof: it outlives a holder that was killed. */
export interface LockNote {
  readonly pid: number;
  /** ISO time of the acquisition. */
  readonly since: string;
  readonly [detail: string]: unknown;
}

export interface ExclusiveLock extends AsyncDisposable {
  readonly path: string;
  /** Replaces the details in the note beside the lock; `pid` and `since` stay. */
  describe(details: Readonly<Record<string, unknown>>): Promise<void>;
  /**
   * Frees the lock and removes the note. A second call does nothing. The lock's file stays: removing it would split the
   * lock.
   */
  release(): Promise<void>;
}

const SQLITE_BUSY = 5;

/**
 * Takes the lock at `path` (a file, made if absent; its folder must exist), or returns undefined when it is held: by
 * another live process, even a stopped one, or by an earlier call in this process. The kernel frees it when the holder
 * dies, however it dies. Nothing else in this process may open the file: to close it again would free the lock. For
 * local disks only. Throws `lock/unusable` when the file cannot be opened or is not a lock file.
 */
export async function acquireExclusiveLock(path: string): Promise<ExclusiveLock | undefined> {
  const database = await take(path);
  if (!database) return undefined;
  const owner = { pid: process.pid, since: new Date().toISOString() };
  const notePath = `${path}.json`;
  const release = async () => {
    if (!database.isOpen) return;
    // First the note, then the lock: the other way round this could remove the next holder's note.
    await rm(notePath, { force: true });
    database.close();
  };
  const describe = async (details: Readonly<Record<string, unknown>>) => {
    const draft = `${notePath}.${process.pid}`;
    await writeFile(draft, `${JSON.stringify({ ...details, ...owner })}\n`);
    await rename(draft, notePath);
  };
  try {
    await describe({});
  } catch (error) {
    database.close();
    throw unusable(path, error);
  }
  return { path, describe, release, [Symbol.asyncDispose]: release };
}

/** The note of the present or last holder of the lock at `path`; undefined when there is none that can be read. */
export async function readLockNote(path: string): Promise<LockNote | undefined> {
  try {
    const note: unknown = JSON.parse(await readFile(`${path}.json`, 'utf8'));
    return isNote(note) ? note : undefined;
  } catch {
    // No note, or a damaged one: it is a courtesy, and its absence says nothing.
    return undefined;
  }
}

/** Two processes that try at the same instant can refuse each other, so a refusal is believed only when it lasts. */
async function take(path: string): Promise<DatabaseSync | undefined> {
  for (let left = 4; left > 0; left--) {
    const database = tryOnce(path);
    if (database) return database;
    if (left > 1) await pause(5 + Math.random() * 20);
  }
  return undefined;
}

function tryOnce(path: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('pragma locking_mode = exclusive; begin exclusive');
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined;
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): SwitchyardError {
  return new SwitchyardError({
    code: 'lock/unusable',
    message: `cannot lock ${path}: ${messageOf(cause)}`,
    hint: 'Its folder must exist on a local disk and be writable for this user.',
    cause,
  });
}

function isNote(value: unknown): value is LockNote {
  if (typeof value !== 'object' || value === null) return false;
  return 'pid' in value && typeof value.pid === 'number' && 'since' in value && typeof value.since === 'string';
}
