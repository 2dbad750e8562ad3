import { lstat, open, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { type Bounds, isTooMuch, mayBeShown } from './forbidden.ts';
import { isSystem, type Part, readOnly } from './part.ts';

// Programs outside of the system's folders: of version managers, of package managers, below /opt. What lies round them is shown as far as
// it belongs to them, always read-only, at its own place.

/** What programs are shown of the folders of a PATH. */
export async function toolchains(path: string | undefined, bounds: Bounds): Promise<Part[]> {
  const folders = (path ?? '')
    .split(':')
    .filter((folder) => isAbsolute(folder))
    .map((folder) => normalize(folder));
  const parts = await Promise.all([...new Set(folders)].map((folder) => aroundFolder(folder, bounds)));
  return parts.flat();
}

/** What a program needs to be started: its file, the links that lead there, the package it belongs to, its interpreter. */
export async function aroundProgram(file: string, bounds: Bounds): Promise<Part[]> {
  const parts = await aroundFile(file, bounds);
  const interpreter = await interpreterOf(file);
  return interpreter === undefined ? parts : [...parts, ...(await aroundFile(interpreter, bounds))];
}

async function aroundFolder(folder: string, bounds: Bounds): Promise<Part[]> {
  const real = await realpath(folder.replace(/(.)\/$/, '$1')).catch(() => undefined);
  if (real === undefined || isSystem(real)) return [];
  const shown = firstShown([await installationOf(real, bounds), real], bounds);
  if (shown === undefined) return [];
  return [readOnly(shown), ...(real === folder ? [] : [{ kind: 'link', inside: folder, target: real } as const])];
}

async function aroundFile(file: string, bounds: Bounds): Promise<Part[]> {
  const real = await realpath(file).catch(() => undefined);
  if (real === undefined || (isSystem(real) && isSystem(file))) return [];
  const shown = firstShown([await installationOf(dirname(real), bounds), real], bounds);
  if (shown === undefined) return [];
  return [...(isSystem(real) ? [] : [readOnly(shown)]), ...(await linksTo(real, file))];
}

function firstShown(candidates: readonly (string | undefined)[], bounds: Bounds): string | undefined {
  return candidates.find((path) => path !== undefined && mayBeShown(path, bounds));
}

/** The links from one name of a file to the file, each at its own place. */
async function linksTo(real: string, file: string): Promise<Part[]> {
  const links: Part[] = [];
  for (let path = file; path !== real && links.length < 40; ) {
    const found = await lstat(path).catch(() => undefined);
    if (found?.isSymbolicLink() !== true) break;
    // To the file at once: the folders between may be links themselves.
    links.push({ kind: 'link', inside: path, target: real });
    path = resolve(dirname(path), await readlink(path));
  }
  // The file itself is no link, so a folder above it is.
  return links.length === 0 && file !== real ? [{ kind: 'link', inside: file, target: real }] : links;
}

/**
 * The folder that an installation lies in, given that of its programs; undefined where that stands alone. A `bin` makes its parent
 * one only if that looks like an installation, not like a person's project.
 */
async function installationOf(folder: string, bounds: Bounds): Promise<string | undefined> {
  const packages = /^(.*?\/node_modules)(\/|$)/.exec(folder)?.[1];
  if (packages !== undefined) return packages;
  const version = /^.*?\/\.local\/share\/[^/]+\/versions\/[^/]+/.exec(folder)?.[0];
  if (version !== undefined) return version;
  if (!['bin', 'sbin', 'shims'].includes(basename(folder))) return undefined;
  const parent = dirname(folder);
  return !isTooMuch(parent, bounds) && (await isInstallation(parent, bounds)) ? parent : undefined;
}

async function isInstallation(folder: string, { home }: Bounds): Promise<boolean> {
  const has = async (name: string) => (await lstat(join(folder, name)).catch(() => undefined)) !== undefined;
  const isClone = await has('.git');
  if (isClone && !(dirname(folder) === home && basename(folder).startsWith('.'))) return false;
  const [...found] = await Promise.all(['lib', 'lib64', 'libexec', 'share', 'pyvenv.cfg'].map(has));
  return found.includes(true);
}

async function interpreterOf(file: string): Promise<string | undefined> {
  try {
    await using opened = await open(file, 'r');
    const { buffer, bytesRead } = await opened.read(Buffer.alloc(256), 0, 256, 0);
    return /^#!\s*(\/\S+)/.exec(buffer.subarray(0, bytesRead).toString('latin1'))?.[1];
  } catch {
    return undefined; // may be run without being read
  }
}
