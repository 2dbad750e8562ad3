import { existsSync, linkSync, mkdirSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Commit } from './commits.ts';
import { readLooseCommit } from './loose-commits.ts';
import { FOLDER, GITLINK, readLooseTree, type TreeEntry } from './loose-trees.ts';

export interface LinkRequest {
  /** Commits, and then trees, that the repository has. */
  readonly ids: readonly string[];
  /** Whether whoever reads the folder can read that commit or tree anyway, with all that it holds. */
  readonly isThere: (id: string) => Promise<boolean>;
  /** A folder of objects on the same disk. That an object lies there says nothing of what it holds. */
  readonly into: string;
}

/** As many objects to link, or to look for, git does as quickly. */
const MOST = 1000;
const MOST_SEEN = 5 * MOST;

/**
 * Has a folder of objects hold all that these commits and trees hold of the repository's own, by links to the files that git has for its
 * latest objects. What the repository borrows is left out. It saves a process of git; false, and some of it may be there, where git has to do
 * it: they are many, the repository has packs of its own, or the folder cannot be linked to. An object gets there after all that it holds.
 */
export async function linkLooseObjects(gitDir: string, { ids, isThere, into }: LinkRequest): Promise<boolean> {
  const own = join(gitDir, 'objects');
  const linking = new Linking({ gitDir, own, into, isThere });
  try {
    if (hasPacks(own)) return false;
    for (const id of ids) if (!(await linking.add(id))) return false;
    // Of what was packed meanwhile, the files may have gone before they were looked for.
    return !hasPacks(own);
  } catch {
    return false;
  }
}

interface LinkingParts extends Pick<LinkRequest, 'isThere' | 'into'> {
  readonly gitDir: string;
  readonly own: string;
}

/** Each of these says false where git has to do it. */
class Linking {
  readonly #parts: LinkingParts;
  readonly #done = new Set<string>();
  #seen = 0;
  #linked = 0;
  /** Of the last commit. */
  #tree: string | undefined;

  constructor(parts: LinkingParts) {
    this.#parts = parts;
  }

  async add(id: string): Promise<boolean> {
    if (!(await this.#isMissing(id))) return true;
    const commit = await readLooseCommit(this.#parts.gitDir, id);
    return commit === undefined ? this.#linkTree(id, this.#tree) : this.#linkCommit(commit);
  }

  async #linkCommit({ id, tree, parents }: Commit): Promise<boolean> {
    for (const parent of parents) if (!(await this.add(parent))) return false;
    const [first] = parents;
    const before = first === undefined ? undefined : await readLooseCommit(this.#parts.gitDir, first);
    if (!(await this.#addTree(tree, before?.tree))) return false;
    this.#tree = tree;
    return this.#link(id);
  }

  async #addTree(id: string, known: string | undefined): Promise<boolean> {
    return id === known || !(await this.#isMissing(id)) || this.#linkTree(id, known);
  }

  /** What it has in common with the known one, of which all is there, is left alone. */
  async #linkTree(id: string, known: string | undefined): Promise<boolean> {
    const { gitDir } = this.#parts;
    const entries = await readLooseTree(gitDir, id);
    if (entries === undefined) return false;
    const same = new Map<string, TreeEntry>();
    for (const entry of (known === undefined ? undefined : await readLooseTree(gitDir, known)) ?? [])
      same.set(entry.name, entry);
    for (const { mode, name, id: inner } of entries) {
      const other = same.get(name);
      if (mode === GITLINK || inner === other?.id) continue;
      const isAdded = mode === FOLDER ? await this.#addTree(inner, other?.id) : this.#addBlob(inner);
      if (!isAdded) return false;
    }
    return this.#link(id);
  }

  #addBlob(id: string): boolean {
    return this.#isDone(id) || !existsSync(fileIn(this.#parts.own, id)) || this.#link(id);
  }

  /** Whether it is the repository's own, and neither linked nor known to be there. */
  async #isMissing(id: string): Promise<boolean> {
    if (this.#isDone(id)) return false;
    return existsSync(fileIn(this.#parts.own, id)) && !(await this.#parts.isThere(id));
  }

  #isDone(id: string): boolean {
    this.#seen++;
    const isDone = this.#done.has(id);
    this.#done.add(id);
    return isDone;
  }

  #link(id: string): boolean {
    const { own, into } = this.#parts;
    const target = fileIn(into, id);
    if (!existsSync(target)) {
      const folder = join(into, id.slice(0, 2));
      if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
      linkSync(fileIn(own, id), target);
      this.#linked++;
    }
    // Counts as used now, so that no clean-up takes it before a ref names it.
    const now = new Date();
    utimesSync(target, now, now);
    return this.#linked <= MOST && this.#seen <= MOST_SEEN;
  }
}

function hasPacks(objects: string): boolean {
  return readdirSync(join(objects, 'pack')).length > 0;
}

function fileIn(objects: string, id: string): string {
  return join(objects, id.slice(0, 2), id.slice(2));
}
