import type { CrashPoint } from '../lib/crash-point.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import type { CommitIdentity } from '../ports/workspace.ts';
import type { GitStore } from './git-store.ts';
import type { LastLook } from './last-look.ts';
import type { Layout } from './layout.ts';
import type { ReadyShell } from './ready-shell.ts';

/** What all parts of one opened workspace share: where it lies, what it belongs to, and the walls for git over its files. */
export interface Site {
  readonly layout: Layout;
  readonly store: GitStore;
  readonly sandbox: Sandbox;
  readonly run: string;
  /** The branch is `switchyard/<slug>`. */
  readonly slug: string;
  readonly step: string;
  readonly attempt: number;
  readonly base: string;
  readonly identity: CommitIdentity;
  readonly carry: readonly string[];
  /** The only folders of the repository that the checkout has; undefined: all. */
  readonly sparse?: readonly string[] | undefined;
  readonly sessionFiles: readonly { readonly agent: string; readonly globs: readonly string[] }[];
  readonly crashPoint: CrashPoint;
  /** What git last saw of the checkout, from one attempt to the next. */
  readonly lastLook: LastLook;
  /** A shell that was started for a script to come, if there is one; whoever takes it has it run one, or disposes it. */
  readonly takeReady?: () => ReadyShell | undefined;
  /** Told of a pipe in the checkout that git waited for, and that was removed. */
  readonly onPipeRemoved?: (path: string) => void;
}

/** A commit that a workspace stands on, with what is asked of it again and again. */
export interface Head {
  readonly commit: string;
  readonly tree: string;
  /** The committer's, in git's raw form. */
  readonly date: string;
}

export const SWITCHYARD = { name: 'Switchyard', email: 'switchyard@localhost' } as const;
