import { readdir, rm } from 'node:fs/promises';
import { between, type CrashPoint } from '../lib/crash-point.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import type { CommitIdentity, Workspace, WorkspaceProvider } from '../ports/workspace.ts';
import type { GitStore } from './git-store.ts';
import { type Layout, workspaceLayout } from './layout.ts';
import { create, reopen } from './open-workspace.ts';
import type { Setup } from './setup.ts';

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
  /** Untracked files of the user's checkout that a new workspace gets. */
  readonly copy: { readonly from: string; readonly globs: readonly string[] };
  readonly setup?: Setup;
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
  readonly provider: WorkspaceProvider;
  readonly crashPoint: CrashPoint;
}

export function createWorkspaces({ folder, provider, crashPoint }: WorkspacesOptions): Workspaces {
  const clear = async (run: string): Promise<void> => {
    const layout = workspaceLayout(folder, run);
    await rm(layout.marker, { force: true });
    await provider.remove(layout.tree);
    await rm(layout.root, { recursive: true, force: true, maxRetries: 5 });
  };
  return {
    async open(request) {
      const { run, slug, step, attempt, store, base, sandbox, identity, carry, sessionFiles } = request;
      const layout = workspaceLayout(folder, run);
      const site = {
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
        sessionFiles,
        crashPoint,
      };
      const opened = request.reuse ? await reopen(site, request) : undefined;
      if (opened !== undefined) return opened;
      await clear(run);
      return create(site, request, provider);
    },
    layoutOf: (run) => workspaceLayout(folder, run),
    remove: (run) => between(crashPoint, 'workspace-remove', () => clear(run)),
    async list() {
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
      return entries
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .sort();
    },
  };
}
