import { join } from 'node:path';
import { SwitchyardError } from '../lib/error.ts';

/** Where the parts of one run's workspace lie. */
export interface Layout {
  /** `workspaces/<run>`: all of it. */
  readonly root: string;
  /** The checkout, with the agent's own `.git` inside. */
  readonly tree: string;
  /** The harness's git directory; agents' sandboxes must not be able to write here. */
  readonly git: string;
  /** Agents' HOMEs, one folder each. */
  readonly homes: string;
  /** What programs of the run may read of its own objects; only the harness writes here. */
  readonly objects: string;
  /** HOME of setup, commands and checks where they have walls. */
  readonly home: string;
  /** What is `/tmp` to all programs within walls. */
  readonly tmp: string;
  /** What the provider keeps of each of the folders that it laid. */
  readonly layers: string;
  /** Written last: a workspace without it is not whole. */
  readonly marker: string;
}

/** The layout of a run's workspace, whether it exists or not, so that a sandbox can be made for it beforehand. */
export function workspaceLayout(folder: string, run: string): Layout {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(run)) {
    throw new SwitchyardError({
      code: 'workspace/bad-run',
      message: `${JSON.stringify(run)} cannot name a workspace`,
      hint: 'Run ids hold letters, digits, dash and underscore only.',
    });
  }
  const root = join(folder, run);
  return {
    root,
    tree: join(root, 'tree'),
    git: join(root, 'git'),
    homes: join(root, 'homes'),
    objects: join(root, 'objects'),
    home: join(root, 'home'),
    tmp: join(root, 'tmp'),
    layers: join(root, 'layers'),
    marker: join(root, 'workspace.json'),
  };
}
