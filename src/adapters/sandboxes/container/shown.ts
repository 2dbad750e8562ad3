import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import type { Mount, SandboxProgram } from '../../../ports/sandbox.ts';
import { isWithin } from './mounts.ts';

// What a container shows of this machine beside its mounts: what its owner lets programs read, what a program says that it reads, and the
// program itself, where it is named by a file of this machine that no image has.

/** The mounts with what is shown besides, and how the program is started then. */
export interface Shown {
  readonly mounts: readonly Mount[];
  readonly argv: readonly [string, ...string[]];
}

export async function withShown(
  mounts: readonly Mount[],
  { program, reads }: { program: Pick<SandboxProgram, 'argv' | 'reads'>; reads: readonly string[] },
): Promise<Shown> {
  const [name, ...args] = program.argv;
  const own = await ownProgram(mounts, name);
  const paths = [...reads, ...(program.reads ?? []), ...(own === undefined ? [] : [own.shown])];
  return { mounts: await withReads(mounts, [...new Set(paths)]), argv: [own?.file ?? name, ...args] };
}

/** The mounts with paths that are read at their own places: over a mount that covers that place, below all others. */
async function withReads(mounts: readonly Mount[], reads: readonly string[]): Promise<Mount[]> {
  const isShown = (path: string) => mounts.some(({ host, inside }) => host === inside && isWithin(path, host));
  const found = reads
    .filter((path) => !isShown(path))
    .map(async (inside): Promise<Mount[]> => {
      const host = await realpath(inside).catch(() => undefined);
      return host === undefined ? [] : [{ host, inside, writable: false }];
    });
  const shown = (await Promise.all(found)).flat();
  const isCovered = ({ inside }: Mount) => mounts.some((mount) => isWithin(inside, mount.inside));
  return [...shown.filter((read) => !isCovered(read)), ...mounts, ...shown.filter(isCovered)];
}

/**
 * A program file of this machine, links resolved, and what has to be shown of it: its package where it comes from npm, else the file.
 * Undefined for what the container has itself: a name without a path, the system's own programs, and what lies in a mount.
 */
async function ownProgram(
  mounts: readonly Mount[],
  name: string,
): Promise<{ readonly file: string; readonly shown: string } | undefined> {
  if (!isAbsolute(name) || (await isInMount(mounts, name))) return undefined;
  const file = await realpath(name).catch(() => undefined);
  if (file === undefined) return undefined;
  const shown = PACKAGE.exec(file)?.[0];
  if (shown !== undefined) return { file, shown };
  return SYSTEM.some((folder) => isWithin(file, folder)) ? undefined : { file, shown: file };
}

async function isInMount(mounts: readonly Mount[], path: string): Promise<boolean> {
  const mount = mounts.findLast(({ inside }) => isWithin(path, inside));
  if (mount === undefined) return false;
  return stat(join(mount.host, relative(mount.inside, path))).then(
    () => true,
    () => false,
  );
}

const PACKAGE = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/nix/store'];
