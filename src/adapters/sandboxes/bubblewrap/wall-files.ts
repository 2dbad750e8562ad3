import { existsSync, rmSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { deadOwnerOf, makeScratchFolder } from '../../../lib/scratch-folder.ts';
import { makeEtc } from './etc.ts';

/** The files that walls of this process are made of, in a folder for this user alone. */
export interface WallFiles {
  readonly etc: string;
  readonly filter: string;
  /** Below which a file may be made for a moment. */
  readonly folder: string;
}

/** Makes them once, and again when somebody has removed them; they are gone when this process ends. */
export class KeptWallFiles {
  readonly #prefix: string;
  readonly #content: { readonly filter: Uint8Array | undefined };
  #made: Promise<WallFiles> | undefined;

  /** The folder's path begins with `prefix`. */
  constructor(prefix: string, content: { readonly filter: Uint8Array | undefined }) {
    this.#prefix = prefix;
    this.#content = content;
  }

  async get(): Promise<WallFiles> {
    const made = await this.#made?.catch(() => undefined);
    if (made !== undefined && isWhole(made)) return made;
    this.#made = this.#make();
    return this.#made;
  }

  async #make(): Promise<WallFiles> {
    await removeDead(this.#prefix);
    const scratch = await makeScratchFolder(this.#prefix);
    process.once('exit', () => rmSync(scratch.path, { recursive: true, force: true }));
    const files = {
      etc: join(scratch.path, 'etc'),
      filter: join(scratch.path, 'filter'),
      folder: join(scratch.path, 'open'),
    };
    await makeEtc(files.etc);
    await mkdir(files.folder);
    await writeFile(files.filter, this.#content.filter ?? '', { mode: 0o600 });
    return files;
  }
}

/** What processes have left that were killed. */
async function removeDead(prefix: string): Promise<void> {
  const folder = dirname(prefix);
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(basename(prefix)));
  for (const path of names.map((name) => join(folder, name))) {
    if ((await deadOwnerOf(path)) !== undefined) await rm(path, { recursive: true, force: true });
  }
}

function isWhole({ etc, filter, folder }: WallFiles): boolean {
  return [join(etc, 'passwd'), filter, folder].every((path) => existsSync(path));
}
