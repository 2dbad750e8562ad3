import { statSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { dropLooseObjects, moveLooseObjects } from '../lib/git/loose-objects.ts';
import { GITLINK } from '../lib/git/loose-trees.ts';
import { receivePack } from '../lib/git/packs.ts';
import { takeLfsObjects } from './lfs/bring-lfs.ts';
import type { FoundPart, PartName } from './private-parts.ts';
import { escapedBytes, parseRawDifferences, type RawDifference, readable } from './raw-differences.ts';
import { runScriptOrThrow } from './sandboxed.ts';
import type { Site } from './site.ts';
import {
  NESTED,
  PACK,
  RESET,
  restoreScript,
  type SavedPart,
  saveScript,
  snapshotScript,
  UNTRACKED,
} from './tree-scripts.ts';

export interface Snapshot {
  /** The tree of the working tree without nested repositories, as it would be committed. */
  readonly tree: string;
  /** The saved parts, by name; they are not for `give`. */
  readonly parts: ReadonlyMap<PartName, FoundPart>;
  /** Differences between `against` and the working tree, without nested repositories. */
  readonly differences: readonly RawDifference[];
  /** What git said where files could not be read and were left out. */
  readonly unreadable: string | undefined;
  /** Files that are too large to be taken in. */
  readonly large: readonly string[];
  /** There are repositories within the checkout. */
  readonly nested: boolean;
}

export interface SnapshotRequest {
  /** A tree or commit that the store has. */
  readonly against: string;
  readonly save?: readonly SavedPart[];
  readonly differences?: 'always';
  /** A commit of the agent's, which the store has: what it adds counts though it is ignored. */
  readonly committed?: string | undefined;
}

/**
 * Git over the files of one checkout: each operation is one program in the sandbox. Remembers what the index was last seen to hold, so that
 * an unchanged tree costs a single look at it. One operation at a time.
 */
export class TreeGit {
  readonly #site: Site;
  #indexTree: string | undefined;
  /** Nested repositories, as escaped bytes: they are left out of the index at every look. */
  #nested: readonly string[] = [];
  /** What the store was given from here. */
  readonly #given = new Set<string>();

  /** False for an index that a checkout wrote: looks are slower until it is written once more, in a later second. */
  #settled: boolean;

  constructor(site: Site, { indexTree, settled }: { indexTree: string | undefined; settled: boolean }) {
    this.#site = site;
    this.#indexTree = indexTree;
    this.#settled = settled;
  }

  /** What is known of the index, for the next time. */
  get index(): { readonly indexTree: string | undefined; readonly settled: boolean } {
    return { indexTree: this.#indexTree, settled: this.#settled };
  }

  async snapshot(request: SnapshotRequest): Promise<Snapshot> {
    const { lastLook } = this.#site;
    const looks = request.differences === 'always' || request.committed !== undefined;
    const known = looks ? undefined : lastLook.tree();
    if (known !== undefined) return this.#asBefore(known, request.save ?? []);
    const before = lastLook.print();
    const { facts, large, differences, stderr } = await this.#look(request);
    const links = differences.filter(({ mode }) => mode === GITLINK).map(({ path }) => escapedBytes(path));
    if (links.some((link) => !this.#nested.includes(link))) {
      this.#indexTree = undefined;
      this.#nested = [...new Set([...this.#nested, ...links])];
      return this.snapshot(request);
    }
    const tree = facts.get('tree') ?? '';
    const parts = partsIn(facts, request.save ?? []);
    this.#indexTree = tree;
    const unreadable = facts.has('partial') ? stderr : undefined;
    const nested = this.#nested.length > 0;
    if (unreadable === undefined && large.length === 0 && !nested) lastLook.remember(tree, before);
    else lastLook.forget();
    return { tree, parts, differences, unreadable, large, nested };
  }

  /** Nothing was written in the checkout since the last look, which found nothing that would have to be said. */
  async #asBefore(tree: string, save: readonly SavedPart[]): Promise<Snapshot> {
    const facts =
      save.length === 0 ? new Map<string, string>() : factsOf((await this.#run('save', saveScript(save), {})).stdout);
    return {
      tree,
      parts: partsIn(facts, save),
      differences: [],
      unreadable: undefined,
      large: [],
      nested: false,
    };
  }

  async #look({ against, save, differences, committed }: SnapshotRequest) {
    const settle = !this.#settled && this.#isOlderThanThisSecond();
    const text = snapshotScript({
      settle,
      committed: committed !== undefined,
      leaveOut: this.#nested,
      differences: differences ?? 'when-changed',
      save: save ?? [],
    });
    const { stdout, stderr } = await this.#run('snapshot', text, { AGAINST: against, COMMITTED: committed ?? '' });
    this.#settled ||= settle;
    const end = stdout.indexOf('\n\n');
    return {
      facts: factsOf(stdout.subarray(0, end)),
      large: largeIn(stdout.subarray(0, end)),
      differences: parseRawDifferences(stdout.subarray(end + 2)),
      stderr,
    };
  }

  /**
   * Has the store hold trees that were made here, with all that is in them: object by object where few are new, else as a pack. `known`
   * are trees that it holds already.
   */
  async give(trees: readonly string[], known: readonly string[]): Promise<void> {
    const { layout, store } = this.#site;
    await takeLfsObjects(layout.git, store.path);
    const missing = trees.filter((tree) => !known.includes(tree) && !this.#given.has(tree));
    if (missing.length === 0) return;
    if (!(await moveLooseObjects(layout.git, store.path))) {
      const there = [...known, ...this.#given].map((tree) => `^${tree}`);
      await this.#run('pack', PACK, {}, [...missing, ...there]);
      await receivePack(store.path, join(layout.git, 'incoming.pack'), { strict: false });
      await dropLooseObjects(layout.git, store.path);
    }
    for (const tree of missing) this.#given.add(tree);
  }

  /** Makes index and files those of a tree. Untracked files go, ignored ones stay. */
  async reset(tree: string): Promise<void> {
    this.#indexTree = undefined;
    this.#settled = false;
    // They go as well, and something else may be in their place.
    this.#nested = [];
    this.#site.lastLook.forget();
    await this.#run('reset', RESET, {}, [tree]);
    this.#indexTree = tree;
  }

  /** Makes the files those of the tree again; returns the readable paths that differed. */
  async restore(tree: string): Promise<string[]> {
    const { lastLook } = this.#site;
    if (lastLook.tree() === tree) return [];
    const before = lastLook.print();
    const { stdout } = await this.#run('restore', restoreScript(this.#nested), { AGAINST: tree });
    const start = stdout.indexOf('\n:');
    this.#indexTree = tree;
    if (start === -1) {
      // What git could not read, or was not to take, is looked for again the next time.
      if (stdout.length === 0 && this.#nested.length === 0) lastLook.remember(tree, before);
      else lastLook.forget();
      return [];
    }
    lastLook.forget();
    return parseRawDifferences(stdout.subarray(start + 1)).map(({ path }) => readable(path));
  }

  /** The nested repositories that are neither tracked nor ignored, and a tree of their files, which the store then has. */
  async saveNested(known: readonly string[]): Promise<{ paths: string[]; tree: string } | undefined> {
    const { stdout } = await this.#run('untracked', UNTRACKED, {});
    const untracked = stdout.toString('latin1').split('\0');
    const nested = untracked.filter((path) => path.endsWith('/')).map((path) => path.slice(0, -1));
    if (nested.length === 0) return undefined;
    const paths = nested.map((path) => escapedBytes(path));
    const tree = factsOf((await this.#run('nested', NESTED, {}, paths)).stdout).get('tree') ?? '';
    await this.give([tree], known);
    return { paths: nested.map((path) => readable(path)), tree };
  }

  #isOlderThanThisSecond(): boolean {
    const index = statSync(join(this.#site.layout.git, 'index'), { throwIfNoEntry: false });
    return index !== undefined && Math.floor(index.mtimeMs / 1000) < Math.floor(systemClock.now() / 1000);
  }

  #run(name: string, text: string, env: Record<string, string>, args: readonly string[] = []) {
    return runScriptOrThrow(this.#site, { name, text, args, env: { ...env, INDEX_TREE: this.#indexTree ?? '' } });
  }
}

function partsIn(facts: ReadonlyMap<string, string>, save: readonly SavedPart[]): Map<PartName, FoundPart> {
  return new Map(save.map(({ name }) => [name, { tree: facts.get(name) ?? '', pack: facts.get(`${name}-pack`) }]));
}

function largeIn(lines: Buffer): string[] {
  const all = lines.toString('latin1').split('\n');
  return all.filter((line) => line.startsWith('large ')).map((line) => readable(line.slice('large '.length)));
}

/** `name value` lines. */
function factsOf(lines: Buffer): Map<string, string> {
  return new Map(
    lines
      .toString()
      .split('\n')
      .map((line) => {
        const [name = '', value = ''] = line.split(' ', 2);
        return [name, value];
      }),
  );
}
