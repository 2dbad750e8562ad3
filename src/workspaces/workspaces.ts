import { lstatSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Clock, systemClock } from '../lib/clock.ts';
import { between, type CrashPoint } from '../lib/crash-point.ts';
import { messageOf } from '../lib/error.ts';
import { mountsBelow, unmount } from '../lib/mounts.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import type { CommitIdentity, Workspace, WorkspaceProvider } from '../ports/workspace.ts';
import { Background } from './background.ts';
import { type BaseFacts, Bases } from './bases/bases.ts';
import { BuildPace } from './bases/build-pace.ts';
import { Dependencies, type Enclose } from './dependencies.ts';
import type { GitStore } from './git-store.ts';
import { LastLook } from './last-look.ts';
import { CHECKOUT_MS, treePlace } from './lay-files.ts';
import { type Layout, workspaceLayout } from './layout.ts';
import { create, reopen, type Tools } from './open-workspace.ts';
import { Pool } from './pool.ts';
import { removeAside, setAside } from './removal.ts';
import type { Setup } from './setup.ts';
import type { Head, Site } from './site.ts';
import { headOf } from './take-commits.ts';

/** All workspaces of one worker, one folder per run. */
export interface Workspaces {
  /**
   * The workspace of a run, ready for a step: the one that is there, or a new one. Rejects with `workspace/cannot-create`
   * or `workspace/setup-failed`.
   */
  open(request: OpenRequest): Promise<Opened>;
  /** Removes a run's workspace with everything in it. Removing what is not there is fine. */
  remove(run: string): Promise<void>;
  /** Where the parts of a run's workspace lie, whether it exists or not. */
  layoutOf(run: string): Layout;
  /** The runs that have a workspace here, whole or not, sorted. */
  list(): Promise<string[]>;
}

/** What keeps workspaces quick and the disk free. Disposing ends what is under way that nobody waits for. */
export interface WorkspaceUpkeep extends AsyncDisposable {
  /**
   * Makes ready what the next runs at a commit of a person's are laid over, and makes room for others meanwhile. `setup`: what it makes as
   * well, in walls as for `OpenRequest.enclose`. Resolves when it is done; an abort ends the waiting.
   */
  warm(request: WarmRequest): Promise<void>;
  /**
   * Takes down what an earlier harness has left mounted for runs that are not among these, and removes what it left half done. Nothing
   * that a workspace holds goes: opening one mounts it again.
   */
  sweep(keep: readonly string[]): Promise<void>;
  /** The bases of all repositories, for `doctor`. */
  listBases(): Promise<readonly BaseFacts[]>;
  /** Removes bases that nobody needs; returns those that went, or that would go on a dry run. */
  collectBases(how?: { readonly dryRun?: boolean; readonly store?: GitStore }): Promise<readonly BaseFacts[]>;
  /** The trees that are held ready, over all repositories, and how many are to be; none where they are not needed. */
  pool(): Promise<{ readonly ready: number; readonly wanted: number }>;
  /** Resolves when nothing is under way that nobody waits for. */
  idle(): Promise<void>;
}

export interface WarmRequest {
  readonly store: GitStore;
  readonly commit: string;
  readonly setup?: Enclose;
  readonly signal: AbortSignal;
}

export interface OpenRequest {
  readonly run: string;
  /** The branch is `switchyard/<slug>`. */
  readonly slug: string;
  readonly step: string;
  readonly attempt: number;
  readonly store: GitStore;
  /** The commit that the run stands on; it is in the store. */
  readonly head: string;
  /** The commit that the run began at; agents find it as `refs/switchyard/base`. */
  readonly base: string;
  /** The latest checkpoint of an earlier attempt or step. */
  readonly checkpoint?: string;
  /** A checkpoint whose session and carried files a new workspace gets, where there is no newer one; its checkout is left alone. */
  readonly kept?: string;
  /** The caller has proof that nothing of an earlier attempt lives, so that what is there may be used again. */
  readonly reuse: boolean;
  /**
   * Walls for the harness's git over the agent's files, kept for the life of the workspace: the workspace's whole folder
   * (`workspaceLayout().root`) writable and the store's folder readable at their own paths; needs no network and no secrets.
   */
  readonly sandbox: Sandbox;
  readonly identity: CommitIdentity;
  /** Globs (git's `:(glob)`, relative to the checkout) of untracked files that checkpoints hold as well. */
  readonly carry: readonly string[];
  /** The only folders of the repository that the checkout has, beside the files at the top and on the way to them; undefined: all. */
  readonly sparse?: readonly string[] | undefined;
  /** Untracked files of the user's checkout that a new workspace gets. */
  readonly copy: { readonly from: string; readonly globs: readonly string[] };
  readonly setup?: Setup;
  /**
   * Given where `base` is a commit of a person's: what setup makes of it may then be used by all runs of the repository. Makes walls for a
   * throw-away workspace at a layout, as those for this run's setup are.
   */
  readonly enclose?: Enclose;
  /** Per agent, globs relative to its HOME of the files that its sessions live in. */
  readonly sessionFiles: readonly { readonly agent: string; readonly globs: readonly string[] }[];
  /** Ends the opening, not the life of the workspace. */
  readonly signal: AbortSignal;
}

export interface Opened {
  readonly workspace: Workspace;
  /** Made now, not found. */
  readonly fresh: boolean;
  /** What a person should know, one sentence each. */
  readonly notes: readonly string[];
}

export interface WorkspacesOptions {
  /** `$SWITCHYARD_HOME/workspaces`. */
  readonly folder: string;
  /** `$SWITCHYARD_HOME/bases`; without it, every workspace has its files written one by one. */
  readonly bases?: string;
  readonly provider: WorkspaceProvider;
  /** How many workspaces are held ready for each repository in use, where the provider takes time for each file. Needs `bases`. */
  readonly pool?: { readonly size: number };
  readonly crashPoint: CrashPoint;
  readonly clock?: Clock;
  /** Told, in a sentence, of what a person should know of things that nobody waits for. */
  readonly onNote?: (text: string) => void;
}

export function createWorkspaces(options: WorkspacesOptions): Workspaces & WorkspaceUpkeep {
  const { folder, provider, crashPoint, clock = systemClock, onNote = () => undefined } = options;
  const background = new Background((what, error) => onNote(`${what}: ${messageOf(error)}`));
  const bases =
    options.bases === undefined
      ? undefined
      : new Bases({ folder: options.bases, workspaces: folder, crashPoint, clock });
  const size = options.pool?.size ?? 0;
  const pool = bases === undefined ? undefined : new Pool({ folder, size, provider, bases, clock });
  const tools: Tools = {
    provider,
    clock,
    basesFolder: options.bases ?? join(folder, '.bases'),
    bases,
    dependencies: bases === undefined ? undefined : new Dependencies(bases, provider),
    pool,
    fillPool: ({ store }, head, dependencies) =>
      background.ask(`Workspaces of ${store.id} could not be made ready`, async (signal) =>
        pool?.fill({ store, head, dependencies, signal }),
      ),
    onBehind: ({ store }, base) => prepareSource(store, base),
  };
  const pace = new BuildPace(clock);
  const prepareSource = (store: GitStore, head: Head): void => {
    if (!pace.isDue(store.id)) return;
    background.ask(`A base of ${store.id} could not be made`, async (signal) => {
      if (!pace.isDue(store.id)) return;
      await pace.build(store.id, async () => bases?.source({ store, head, quiet: true, signal }));
      await bases?.collect({ store });
    });
  };
  const clearAway = (): void =>
    background.ask('Removed workspaces could not be cleared away', async (signal) => {
      for (const note of await removeAside(folder, signal)) onNote(note);
    });
  const looks = new Map<string, LastLook>();
  const lastLook = (run: string, layout: Layout): LastLook => {
    const known = looks.get(run) ?? new LastLook({ tree: layout.tree, written: provider.written?.(treePlace(layout)) });
    looks.set(run, known);
    return known;
  };
  const clear = async (run: string): Promise<void> => {
    const layout = workspaceLayout(folder, run);
    looks.delete(run);
    if (lstatSync(layout.root, { throwIfNoEntry: false }) === undefined) return;
    await rm(layout.marker, { force: true });
    if (await setAside(folder, layout.root)) clearAway();
  };
  return {
    async open(request) {
      const { run, slug, step, attempt, store, base, sandbox, identity, carry, sparse, sessionFiles } = request;
      const layout = workspaceLayout(folder, run);
      const site: Site = {
        lastLook: lastLook(run, layout),
        layout,
        run,
        slug,
        step,
        attempt,
        store,
        base,
        sandbox,
        identity,
        carry,
        sparse,
        sessionFiles,
        crashPoint,
      };
      const opened = request.reuse ? await reopen(site, request, tools) : undefined;
      if (opened !== undefined) return opened;
      await clear(run);
      return create({ ...site, lastLook: lastLook(run, layout) }, request, tools);
    },
    layoutOf: (run) => workspaceLayout(folder, run),
    remove: (run) => between(crashPoint, 'workspace-remove', () => clear(run)),
    async list() {
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
      return entries
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
        .map((entry) => entry.name)
        .sort();
    },
    async warm({ store, commit, signal, setup }) {
      if (bases === undefined) return;
      const head = await headOf(store.path, commit);
      if (provider.perFileMs < CHECKOUT_MS) await bases.source({ store, head, quiet: true, signal });
      if (setup !== undefined) await tools.dependencies?.prepare({ store, head, signal, enclose: setup });
      await bases.collect({ store });
    },
    async sweep(keep) {
      const needed = new Set(keep);
      for (const { path } of mountsBelow(folder)) {
        const run = relative(folder, path).split('/')[0] ?? '';
        if (!needed.has(run)) await unmount(path);
      }
      await bases?.sweep();
      await pool?.sweep();
      clearAway();
    },
    listBases: async () => (await bases?.list()) ?? [],
    collectBases: async (how) => (await bases?.collect(how)) ?? [],
    pool: async () => (await pool?.count()) ?? { ready: 0, wanted: 0 },
    idle: () => background.idle(),
    async [Symbol.asyncDispose]() {
      bases?.close();
      await background[Symbol.asyncDispose]();
    },
  };
}
