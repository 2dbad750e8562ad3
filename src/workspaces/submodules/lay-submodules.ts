import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SwitchyardError } from '../../lib/error.ts';
import { git } from '../../lib/git/git.ts';
import type { Submodule } from './bring-submodules.ts';

export interface LayRequest {
  /** A checkout in which nobody is at work. */
  readonly folder: string;
  readonly submodules: readonly Submodule[];
  /** A folder for git's index of each submodule's files, `indexName` of its path. */
  readonly indexes: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Puts the files of submodules into a checkout, without git directories of their own. Git of ours writes them, which knows no filters
 * and no hooks. What is in a submodule's folder already is replaced. Links on the way there are refused with `workspace/cannot-create`.
 */
export async function laySubmodules({ folder, submodules, indexes, signal }: LayRequest): Promise<void> {
  if (submodules.length === 0) return;
  await mkdir(indexes, { recursive: true });
  for (const { path, commit, gitDir } of submodules) {
    signal?.throwIfAborted();
    const target = await emptyFolder(folder, path);
    const index = join(indexes, indexName(path));
    await rm(index, { force: true });
    await git(['read-tree', '--reset', '-u', commit], {
      gitDir,
      workTree: target,
      cwd: target,
      env: { GIT_INDEX_FILE: index },
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

export function indexName(path: string): string {
  return `${createHash('sha256').update(path).digest('hex').slice(0, 16)}.index`;
}

async function emptyFolder(root: string, path: string): Promise<string> {
  let at = root;
  for (const name of path.split('/')) {
    at = join(at, name);
    const found = await lstat(at).catch(() => undefined);
    if (found === undefined) await mkdir(at);
    else if (!found.isDirectory()) throw inTheWay(path);
  }
  for (const name of await readdir(at)) await rm(join(at, name), { recursive: true, force: true, maxRetries: 3 });
  return at;
}

function inTheWay(path: string): SwitchyardError {
  return new SwitchyardError({
    code: 'workspace/cannot-create',
    message: `the files of the submodule ${path} cannot be laid: something else than a folder is in the way`,
    hint: 'Look at that path in the commit.',
  });
}
