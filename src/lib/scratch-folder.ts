import { lstat, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isAlive, pidNamespaceOf, processStart } from './processes.ts';

/** A folder for passing use. Disposing removes it, with everything in it. */
export interface ScratchFolder extends AsyncDisposable {
  readonly path: string;
  /** It is for somebody else from now on: neither disposing nor anybody who looks for what the dead have left removes it. */
  keep(): Promise<void>;
}

/** In the folder, so that a later process can tell whether the one that made it still lives. */
const MARK = '.switchyard-scratch.json';

/** Makes a folder whose path begins with `prefix`, for this user alone. */
export async function makeScratchFolder(prefix: string): Promise<ScratchFolder> {
  const path = await mkdtemp(prefix);
  const owner: Owner = { pid: process.pid, start: processStart(process.pid) ?? '', seenFrom: seenFrom() };
  await writeFile(join(path, MARK), `${JSON.stringify(owner)}\n`, { mode: 0o600 });
  let isKept = false;
  return {
    path,
    async keep() {
      isKept = true;
      await rm(join(path, MARK), { force: true });
    },
    async [Symbol.asyncDispose]() {
      if (!isKept) await rm(path, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

interface Owner {
  readonly pid: number;
  readonly start: string;
  /** Where that number names that process: a pid namespace of a host. */
  readonly seenFrom: string;
}

/**
 * The process that made a scratch folder and has ended since. Undefined for a folder that is none, was kept, belongs to another user, or
 * whose maker lives or cannot be looked for from here.
 */
export async function deadOwnerOf(path: string): Promise<number | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() !== true || found.uid !== process.getuid?.()) return undefined;
  const owner = await readOwner(join(path, MARK));
  if (owner === undefined || owner.start === '' || owner.seenFrom !== seenFrom()) return undefined;
  return isAlive(owner) ? undefined : owner.pid;
}

async function readOwner(mark: string): Promise<Owner | undefined> {
  try {
    const read: unknown = JSON.parse(await readFile(mark, 'utf8'));
    return isOwner(read) ? read : undefined;
  } catch {
    return undefined; // no mark, or one that was cut off: then nobody can say whose it is
  }
}

function isOwner(value: unknown): value is Owner {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'pid' in value &&
    typeof value.pid === 'number' &&
    'start' in value &&
    typeof value.start === 'string' &&
    'seenFrom' in value &&
    typeof value.seenFrom === 'string'
  );
}

function seenFrom(): string {
  return `${pidNamespaceOf('self') ?? ''} ${hostname()}`;
}
