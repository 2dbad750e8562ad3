import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from '../../src/lib/wait-until.ts';
import type { TempRepository } from '../../src/testing/temp-repository.ts';
import type { Installation } from '../support/installation.ts';

/** Workspaces are put away behind a run's end, and a daemon that died is cleared up after while its successor already answers. */
const TIDIED_MS = 15_000;

/** What of `leftovers` stays. */
export async function leftForGood(installation: Installation, repository: TempRepository): Promise<string[]> {
  let found: string[] = [];
  const isTidy = async () => {
    found = await leftovers(installation, repository);
    return found.length === 0;
  };
  await waitUntil(isTidy, { timeoutMs: TIDIED_MS, everyMs: 50 }).catch(() => undefined);
  return found;
}

/**
 * What must not be there once a run is over: programs that still work in its folders, mounts below them, git's lock files in the
 * person's repository or the git store. Each as a line.
 */
async function leftovers(installation: Installation, repository: TempRepository): Promise<string[]> {
  const [processes, mounts, locks] = await Promise.all([
    processesIn(installation.home.workspaces),
    mountsBelow(installation.folder),
    locksBelow([join(repository.path, '.git'), installation.home.repositories]),
  ]);
  return [
    ...processes.map((line) => `process ${line}`),
    ...mounts.map((line) => `mount ${line}`),
    ...locks.map((line) => `lock ${line}`),
  ];
}

/** Processes whose working directory, arguments or environment lie in the folder; `environ` shows what a daemonised child kept. */
async function processesIn(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const command = textOf(`/proc/${pid}/cmdline`);
    return pid !== String(process.pid) && command.includes(folder)
      ? [`${pid} ${command.replaceAll('\0', ' ').slice(0, 200)}`]
      : [];
  });
}

async function mountsBelow(folder: string): Promise<string[]> {
  return (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .filter((line) => line.split(' ')[1]?.startsWith(folder));
}

async function locksBelow(folders: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(folder, { recursive: true }).catch(() => []))
        .filter((path) => path.endsWith('.lock'))
        .map((path) => join(folder, path)),
    ),
  );
  return found.flat();
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // the process has ended meanwhile, or belongs to someone else
  }
}
