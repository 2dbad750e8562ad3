import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { runGit } from '../../lib/git/git.ts';
import type { Home } from '../../lib/home.ts';
import { version } from '../version.ts';
import type { DoctorRow } from './report.ts';

/** Oldest git that can merge trees without a checkout. */
const GIT_WANTED = [2, 38] as const;
const MB = 2 ** 20;
/** Below the first nothing can be expected to work; below the second a workspace or a database may fill the disk. */
const DISK_FULL = 200 * MB;
const DISK_LOW = 2048 * MB;

export function nodeRow(): DoctorRow {
  return { level: 'ok', name: 'node', text: `${process.versions.node}; Switchyard ${version}` };
}

export async function gitRow(): Promise<DoctorRow> {
  const result = await runGit(['version']).catch(() => undefined);
  const found = /(\d+)\.(\d+)\S*/.exec(result?.stdout.toString() ?? '');
  const hint = 'Install git 2.38 or newer, for instance `apt install git` or `dnf install git`.';
  if (found === null) return { level: 'problem', name: 'git', text: 'not found', hint };
  const [major, minor] = [Number(found[1]), Number(found[2])];
  const old = major < GIT_WANTED[0] || (major === GIT_WANTED[0] && minor < GIT_WANTED[1]);
  return old
    ? { level: 'problem', name: 'git', text: `${found[0]} is too old`, hint }
    : { level: 'ok', name: 'git', text: found[0] };
}

export async function diskRow(home: Home): Promise<DoctorRow> {
  const free = await freeBytes(home.folder);
  const text = `${free < 10 * 1024 * MB ? `${Math.floor(free / MB)} MB` : `${Math.floor(free / MB / 1024)} GB`} free for ${home.folder}`;
  if (free < DISK_FULL)
    return {
      level: 'problem',
      name: 'disk',
      text,
      hint: 'Make room, or set SWITCHYARD_HOME to a folder on another disk.',
    };
  return free < DISK_LOW
    ? {
        level: 'warning',
        name: 'disk',
        text,
        hint: 'Each run has a checkout of its own; make room before many work at once.',
      }
    : { level: 'ok', name: 'disk', text };
}

/** Of the disk that the folder lies on, or will. */
async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    if (dirname(folder) === folder) throw error;
    return freeBytes(dirname(folder));
  }
}
