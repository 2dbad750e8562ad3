import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import { deadOwnerOf, makeScratchFolder } from '../lib/scratch-folder.ts';
import { spreadFolders } from '../lib/spread-folders.ts';
import type { WorkspaceProvider } from '../ports/workspace.ts';
import type { Bases } from './bases/bases.ts';
import type { Base } from './bases/records.ts';
import { catchUp } from './check-out.ts';
import { formatOf, writeHarnessGit } from './git-folders.ts';
import type { GitStore } from './git-store.ts';
import { CHECKOUT_MS, type LaidFiles, layFiles } from './lay-files.ts';
import { type Layout, workspaceLayout } from './layout.ts';
import type { Head } from './site.ts';

/** Among the workspaces, so that one that is ready need only be moved; no run is called like it. */
const POOL = '.pool';
const READY = 'ready-';
const DRAFT = 'draft-';
const TAKEN = 'taken-';

/** How long a repository's trees are held ready after one of its runs began. */
const UNUSED_MS = 7 * 24 * 60 * 60_000;

const Record = z.object({
  version: z.literal(1),
  commit: z.string(),
  /** The name of the base of what setup made that is laid in it. */
  dependencies: z.string().nullable(),
  settled: z.boolean(),
  laid: z.object({ provider: z.string(), tree: z.array(z.string()), home: z.array(z.string()) }),
});
type Record = z.infer<typeof Record>;

interface Entry extends Record {
  readonly folder: string;
}

export interface PoolOptions {
  /** The folder of all workspaces. */
  readonly folder: string;
  /** How many trees are held ready for each repository. */
  readonly size: number;
  readonly provider: WorkspaceProvider;
  readonly bases: Bases;
  readonly clock: Clock;
}

export interface Filling {
  readonly store: GitStore;
  /** A commit of a person's: no run has written any of it. */
  readonly head: Head;
  readonly dependencies: Base<'dependencies'> | undefined;
  readonly signal: AbortSignal;
}

/**
 * Trees that are laid before anybody wants them, for providers that take their time for each file; where laying costs the same however many
 * there are, as with overlays, none is needed and none is kept. What is taken never comes back, so nothing that a run wrote is in one.
 * They outlive the process: the next one finds them.
 */
export class Pool {
  readonly #options: PoolOptions;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Whether any are kept. */
  get isKept(): boolean {
    return this.#options.size > 0 && this.#options.provider.perFileMs > 0;
  }

  /**
   * Moves a tree into a workspace's place, with its HOME and git's index, and brings it to the commit: one of that very commit if there is
   * one. The harness's git directory is there, and an empty HOME. Undefined when none is ready with just these dependencies.
   */
  async take(
    { store, layout }: { store: GitStore; layout: Layout },
    { head, dependencies, signal }: { head: Head; dependencies: string | undefined; signal: AbortSignal },
  ): Promise<LaidFiles | undefined> {
    const fitting = (await this.#entries(store.id)).filter((entry) => entry.dependencies === (dependencies ?? null));
    const nearest = fitting.sort((a, b) => Number(b.commit === head.commit) - Number(a.commit === head.commit));
    for (const entry of nearest) {
      await using taken = await makeScratchFolder(join(this.#folderOf(store.id), TAKEN));
      const there = workspaceLayout(taken.path, 'workspace');
      if (!(await moved(entry.folder, there.root))) continue; // somebody else has it
      await rename(there.home, layout.home);
      await rename(join(there.git, 'index'), join(layout.git, 'index'));
      await rename(there.tree, layout.tree);
      const { commit, laid, settled } = entry;
      if (commit === head.commit) return { laid, settled };
      await catchUp({ gitDir: layout.git, folder: layout.tree, from: commit, to: head.commit, signal });
      return { laid, settled: false };
    }
    return undefined;
  }

  /** Makes what is missing of a repository, and makes room for others meanwhile. Trees of other commits stand in for these until then. */
  async fill({ store, head, dependencies, signal }: Filling): Promise<void> {
    if (!this.isKept) return;
    const { size, clock } = this.#options;
    const folder = this.#folderOf(store.id);
    if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) await spreadFolders(folder);
    await utimes(folder, clock.now() / 1000, clock.now() / 1000);
    const fits = (entry: Entry): boolean =>
      entry.commit === head.commit && entry.dependencies === (dependencies?.name ?? null);
    for (;;) {
      signal.throwIfAborted();
      const entries = await this.#entries(store.id);
      if (entries.filter((entry) => fits(entry)).length >= size) return;
      await this.#make(folder, { store, head, dependencies, signal });
      const old = entries.find((entry) => !fits(entry));
      if (old !== undefined && entries.length >= size) await this.#drop(old, folder);
    }
  }

  /** How many are ready, and how many are to be. */
  async count(): Promise<{ readonly ready: number; readonly wanted: number }> {
    if (!this.isKept) return { ready: 0, wanted: 0 };
    const repositories = await namesIn(this.#root);
    const ready = await Promise.all(repositories.map((id) => this.#entries(id)));
    return { ready: ready.flat().length, wanted: repositories.length * this.#options.size };
  }

  /** Removes what the dead have left half made or half taken, and all of repositories that are not in use any more, or of no use here. */
  async sweep(): Promise<void> {
    for (const repository of await namesIn(this.#root)) {
      const folder = this.#folderOf(repository);
      const used = await stat(folder).catch(() => undefined);
      if (!this.isKept || used === undefined || this.#options.clock.now() - used.mtimeMs > UNUSED_MS) {
        await remove(folder);
        continue;
      }
      for (const name of await namesIn(folder)) {
        const path = join(folder, name);
        const isReady = name.startsWith(READY) && (await this.#read(path)) !== undefined;
        if (!isReady && (name.startsWith(READY) || (await deadOwnerOf(path)) !== undefined)) await remove(path);
      }
    }
  }

  /** It gets its name last: what has a name is whole. */
  async #make(folder: string, { store, head, dependencies, signal }: Filling): Promise<void> {
    const { provider, bases, clock } = this.#options;
    await using draft = await makeScratchFolder(join(folder, DRAFT));
    const layout = workspaceLayout(draft.path, 'workspace');
    await mkdir(layout.home, { recursive: true, mode: 0o700 });
    writeHarnessGit(layout.git, store.path, formatOf(head.commit));
    const source =
      provider.perFileMs < CHECKOUT_MS ? await bases.source({ store, head, quiet: true, signal }) : undefined;
    const { laid, settled } = await layFiles(
      { layout },
      { head, provider, bases, clock, source, dependencies, quiet: true, signal },
    );
    const record: Record = {
      version: 1,
      commit: head.commit,
      dependencies: dependencies?.name ?? null,
      settled,
      laid: { provider: laid.provider, tree: [...laid.tree], home: [...laid.home] },
    };
    await writeFile(recordOf(layout.root), JSON.stringify(record));
    signal.throwIfAborted();
    await rename(layout.root, join(folder, `${READY}${draft.path.slice(-6)}`));
  }

  async #drop({ folder }: Entry, repository: string): Promise<void> {
    await using taken = await makeScratchFolder(join(repository, TAKEN));
    await moved(folder, join(taken.path, 'workspace'));
  }

  async #entries(repository: string): Promise<Entry[]> {
    const folder = this.#folderOf(repository);
    const names = (await namesIn(folder)).filter((name) => name.startsWith(READY));
    const entries = await Promise.all(names.map((name) => this.#read(join(folder, name))));
    return entries.filter((entry) => entry !== undefined);
  }

  async #read(folder: string): Promise<Entry | undefined> {
    try {
      const record = Record.safeParse(JSON.parse(await readFile(recordOf(folder), 'utf8'))).data;
      return record?.laid.provider === this.#options.provider.kind ? { ...record, folder } : undefined;
    } catch {
      return undefined; // taken by somebody else
    }
  }

  get #root(): string {
    return join(this.#options.folder, POOL);
  }

  #folderOf(repository: string): string {
    return join(this.#root, repository);
  }
}

const recordOf = (folder: string): string => join(folder, 'pool.json');

/** Whether this was the one to move it. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 3 });
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
