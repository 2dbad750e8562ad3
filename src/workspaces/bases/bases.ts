import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { CrashPoint } from '../../lib/crash-point.ts';
import { deadOwnerOf } from '../../lib/scratch-folder.ts';
import { spreadFolders } from '../../lib/spread-folders.ts';
import type { GitStore } from '../git-store.ts';
import type { Layout } from '../layout.ts';
import type { Head } from '../site.ts';
import { type BuiltDependencies, buildDependencies, type Enclosed } from './build-dependencies.ts';
import { buildSource } from './build-source.ts';
import { leasedBases } from './leases.ts';
import {
  type Base,
  DOOMED,
  DRAFT,
  dependenciesName,
  listBases,
  RECORD,
  readBase,
  sourceName,
  touchBase,
} from './records.ts';

export interface BasesOptions {
  /** `$SWITCHYARD_HOME/bases`. */
  readonly folder: string;
  /** `$SWITCHYARD_HOME/workspaces`: what lies there over a base keeps it. */
  readonly workspaces: string;
  readonly crashPoint: CrashPoint;
  readonly clock: Clock;
}

export interface Building {
  readonly store: GitStore;
  readonly head: Head;
  /** Nobody waits for it: it makes room for others. */
  readonly quiet: boolean;
  readonly signal: AbortSignal;
}

/** A base as `doctor` and `prune` see it. */
export interface BaseFacts {
  readonly repository: string;
  readonly kind: Base['kind'];
  readonly name: string;
  readonly folder: string;
  readonly commit: string;
  readonly files: number;
  readonly bytes: number;
  readonly madeAt: number;
  readonly usedAt: number;
  /** The runs whose workspaces lie over it. */
  readonly workspaces: readonly string[];
  /** Nothing newer of its kind is there for this repository. */
  readonly newest: boolean;
}

/** How long something is kept that nothing lies over, since it was last used. Dependencies are dear, and branches take turns. */
const UNUSED_MS = { source: 60 * 60_000, dependencies: 7 * 24 * 60 * 60_000 } as const;
/** How many commits' files are kept of a repository that nothing lies over, whenever they were used: any of them will do to begin from. */
const MOST_UNUSED_SOURCES = 4;

/**
 * What workspaces are laid over: the files of commits, and what setup makes. Each is made once, by whoever wants it first, and never
 * changes; nothing that a run wrote gets in. A commit whose files are a base is kept in the git store by a ref.
 */
export class Bases {
  readonly #options: BasesOptions;
  readonly #making = new Map<string, Promise<unknown>>();
  readonly #inUse = new Map<string, number>();
  readonly #closing = new AbortController();

  constructor(options: BasesOptions) {
    this.#options = options;
  }

  /** The files of the commit if they are a base, else the newest base of the repository. */
  async nearestSource(store: GitStore, commit: string): Promise<Base<'source'> | undefined> {
    const folder = this.#folderOf(store);
    const exact = await readBase(folder, sourceName(commit));
    if (exact?.kind === 'source') return exact;
    return (await listBases(folder)).find((base) => base.kind === 'source');
  }

  /** What is known of a commit whose files are a base. */
  async head(store: GitStore, commit: string): Promise<Head | undefined> {
    const base = await readBase(this.#folderOf(store), sourceName(commit));
    return base?.kind === 'source' ? { commit, tree: base.tree, date: base.date } : undefined;
  }

  async dependencies(store: GitStore, key: string): Promise<Base<'dependencies'> | undefined> {
    const base = await readBase(this.#folderOf(store), dependenciesName(key));
    return base?.kind === 'dependencies' ? base : undefined;
  }

  /**
   * The base of exactly this commit; whoever asks while it is being made waits for that one. An abort ends the waiting, not the making.
   */
  source({ store, head, quiet, signal }: Building): Promise<Base<'source'>> {
    const name = sourceName(head.commit);
    return this.#once({ store, name, signal }, async (folder) => {
      const there = await readBase(folder, name);
      if (there?.kind === 'source') return there;
      await store.keep(this.#refOf(head.commit), head.commit);
      const { clock } = this.#options;
      const { signal: closing } = this.#closing;
      return buildSource({ folder, store: store.path, head, quiet, now: () => clock.now(), signal: closing });
    });
  }

  /** What setup makes of this commit. Whoever asks while it is being made waits for that; an abort ends the waiting. */
  makeDependencies(
    building: Building & {
      readonly key: string;
      readonly inside: string;
      enclose(layout: Layout): Promise<Enclosed>;
    },
  ): Promise<BuiltDependencies> {
    const { store, key, signal } = building;
    const { clock, crashPoint } = this.#options;
    return this.#once({ store, name: dependenciesName(key), signal }, async (folder) => {
      const there = await this.dependencies(store, key);
      if (there !== undefined) return there;
      const own = { folder, store: store.path, crashPoint, now: () => clock.now(), signal: this.#closing.signal };
      return buildDependencies({ ...building, ...own });
    });
  }

  /**
   * Does something over bases; none of them goes meanwhile. Rejects with `BaseGone` when one went before, by another process of this home.
   */
  async over<T>(bases: readonly Base[], work: () => Promise<T>): Promise<T> {
    for (const { folder } of bases) this.#inUse.set(folder, (this.#inUse.get(folder) ?? 0) + 1);
    try {
      const result = await work();
      for (const base of bases) {
        if (!existsSync(base.folder)) throw new BaseGone(base.folder);
        await touchBase(base, this.#options.clock.now());
      }
      return result;
    } finally {
      for (const { folder } of bases) this.#inUse.set(folder, (this.#inUse.get(folder) ?? 1) - 1);
    }
  }

  /** All bases, by repository, newest first. */
  async list(): Promise<BaseFacts[]> {
    const leases = await leasedBases(this.#options.workspaces);
    const facts: BaseFacts[] = [];
    for (const repository of await namesIn(this.#options.folder)) {
      const seen = new Set<string>();
      for (const base of await listBases(join(this.#options.folder, repository))) {
        const { kind, name, folder, commit, files, bytes, madeAt } = base;
        const used = await stat(join(folder, RECORD)).catch(() => undefined);
        const newest = !seen.has(kind);
        seen.add(kind);
        const workspaces = leases.get(folder) ?? [];
        const usedAt = used?.mtimeMs ?? madeAt;
        facts.push({ repository, kind, name, folder, commit, files, bytes, madeAt, usedAt, workspaces, newest });
      }
    }
    return facts;
  }

  /**
   * Removes bases that no workspace lies over, that are not the newest of their repository, and that nobody has used for a while; of
   * commits' files, also those beyond a few. Returns those that went, or that would.
   */
  async collect({
    unusedMs = UNUSED_MS,
    dryRun = false,
    store,
  }: {
    unusedMs?: Readonly<Record<Base['kind'], number>>;
    dryRun?: boolean;
    /** Of one repository only; without it, refs of commits that are bases no more stay. */
    store?: GitStore;
  } = {}): Promise<BaseFacts[]> {
    const now = this.#options.clock.now();
    const all = (await this.list()).filter(({ repository }) => store === undefined || repository === store.id);
    const spare = spareSources(all);
    const isNeeded = (base: BaseFacts): boolean =>
      base.newest || base.workspaces.length > 0 || (now - base.usedAt < unusedMs[base.kind] && !spare.has(base.folder));
    const gone: BaseFacts[] = [];
    for (const base of all.filter((base) => !isNeeded(base))) {
      if ((this.#inUse.get(base.folder) ?? 0) > 0) continue;
      if (!dryRun && !(await this.#remove(base))) continue;
      gone.push(base);
      if (!dryRun && base.kind === 'source') await store?.drop(this.#refOf(base.commit));
    }
    return gone;
  }

  /** Removes what builders and collectors that have died left half done. */
  async sweep(): Promise<void> {
    for (const repository of await namesIn(this.#options.folder)) {
      const folder = join(this.#options.folder, repository);
      for (const name of await namesIn(folder)) {
        const isDead = name.startsWith(DRAFT) && (await deadOwnerOf(join(folder, name))) !== undefined;
        if (isDead || name.startsWith(DOOMED)) await rm(join(folder, name), { recursive: true, force: true });
      }
    }
  }

  /** Out of the way first: whoever lays over it now finds it gone, and whoever laid over it before is seen. */
  async #remove({ folder, name, repository }: BaseFacts): Promise<boolean> {
    const doomed = join(this.#options.folder, repository, `${DOOMED}${name}-${process.pid}`);
    await rename(folder, doomed);
    if (((await leasedBases(this.#options.workspaces)).get(folder) ?? []).length > 0) {
      await rename(doomed, folder);
      return false;
    }
    await rm(doomed, { recursive: true, force: true, maxRetries: 3 });
    return true;
  }

  /** Ends what is being made. */
  close(): void {
    this.#closing.abort(new Error('the worker stops'));
  }

  async #once<T>(
    { store, name, signal }: { store: GitStore; name: string; signal: AbortSignal },
    make: (folder: string) => Promise<T>,
  ): Promise<T> {
    const key = `${store.id}/${name}`;
    const folder = this.#folderOf(store);
    const under = this.#making.get(key) as Promise<T> | undefined;
    const making = under ?? makeRepositoryFolder(folder).then(() => make(folder));
    if (under === undefined) {
      this.#making.set(key, making);
      void making.catch(() => undefined).finally(() => this.#making.delete(key));
    }
    return unlessAborted(making, signal);
  }

  #folderOf({ id }: GitStore): string {
    return join(this.#options.folder, id);
  }

  /** Several homes may share a git store. */
  #refOf(commit: string): string {
    const home = createHash('sha256').update(this.#options.folder).digest('hex').slice(0, 12);
    return `refs/switchyard/base/${home}/${commit}`;
  }
}

/** Folders of commits' files that nothing lies over, beyond the few of each repository that were used last. */
function spareSources(all: readonly BaseFacts[]): Set<string> {
  const idle = all.filter(({ kind, workspaces, newest }) => kind === 'source' && workspaces.length === 0 && !newest);
  const spare = [...Map.groupBy(idle, ({ repository }) => repository).values()].flatMap((bases) =>
    bases.toSorted((a, b) => b.usedAt - a.usedAt).slice(MOST_UNUSED_SOURCES),
  );
  return new Set(spare.map(({ folder }) => folder));
}

async function makeRepositoryFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined) await spreadFolders(folder);
}

/** A base went while something was laid over it. */
export class BaseGone extends Error {}

/** The result, or the signal's reason if that comes first. */
async function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([result, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    result.catch(() => undefined); // whoever waits for it still hears of a failure
  }
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
