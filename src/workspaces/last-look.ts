import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../lib/clock.ts';

/** More files than these take longer to look at here than git takes for a look of its own. */
const MANY = 1_000;
/** Times of files go by the ticks of a clock: one that is younger than some of them may be written to once more and look the same. */
const TICKS_MS = 20;

/** What of a checkout can have changed since its layers were put together. */
export interface WrittenFiles {
  /** The checkout. */
  readonly tree: string;
  /** Holds all that was written over its layers (`WorkspaceProvider.written`). */
  readonly written: string | undefined;
}

/**
 * What was written in one checkout, as it looked when git last saw it: as long as that looks the same, a further look by git would find the
 * same tree. Goes by what git itself goes by (numbers, sizes and times that only the kernel sets), only lists and follows nothing. Says
 * nothing where it is not sure: there is no such folder, much in it, or something that is too young.
 */
export class LastLook {
  readonly #files: WrittenFiles;
  #seen: { readonly print: string; readonly tree: string } | undefined;

  constructor(files: WrittenFiles) {
    this.#files = files;
  }

  /** The tree that git would find; undefined where it has to look. */
  tree(): string | undefined {
    return this.#seen !== undefined && this.print() === this.#seen.print ? this.#seen.tree : undefined;
  }

  /** How all looks now; undefined where that cannot be told. */
  print(): string | undefined {
    return this.#look()?.print;
  }

  /** Git has found that tree, and nothing else that would have to be said again. `before` is how all looked when it began. */
  remember(tree: string, before: string | undefined): void {
    const look = this.#look();
    const isSure = look !== undefined && look.print === before && look.youngest < systemClock.now() - TICKS_MS;
    this.#seen = isSure ? { print: look.print, tree } : undefined;
  }

  forget(): void {
    this.#seen = undefined;
  }

  #look(): { print: string; youngest: number } | undefined {
    const { tree, written } = this.#files;
    if (written === undefined) return undefined;
    try {
      const found = new Listing();
      const { dev, ino } = lstatSync(tree, { bigint: true });
      found.add('', `${dev} ${ino}`);
      found.addFolder(written, '');
      return { print: found.print, youngest: found.youngest };
    } catch {
      return undefined; // too much, not there, or going away while it is looked at
    }
  }
}

class Listing {
  readonly #hash = createHash('sha1');
  #count = 0;
  youngest = 0;

  get print(): string {
    return this.#hash.digest('hex');
  }

  /** The folder's own times say nothing that its entries do not; the git directory at the top is no file of the checkout. */
  addFolder(folder: string, path: string): void {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (path === '' && entry.name === '.git') continue;
      if (++this.#count > MANY) throw new Error('too many');
      const found = lstatSync(join(folder, entry.name), { bigint: true });
      const at = `${path}/${entry.name}`;
      this.add(at, entry.isDirectory() ? ofFolder(found) : ofFile(found));
      if (entry.isDirectory()) this.addFolder(join(folder, entry.name), at);
      else this.youngest = Math.max(this.youngest, Number(found.ctimeMs));
    }
  }

  add(path: string, facts: string): void {
    this.#hash.update(`${path}\0${facts}\0`);
  }
}

const ofFolder = ({ ino, mode, uid, gid }: BigIntStats): string => `${ino} ${mode} ${uid} ${gid}`;

const ofFile = ({ ino, mode, uid, gid, size, mtimeNs, ctimeNs, rdev }: BigIntStats): string =>
  `${ino} ${mode} ${uid} ${gid} ${size} ${mtimeNs} ${ctimeNs} ${rdev}`;
