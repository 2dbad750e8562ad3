import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alternateObjects } from '../lib/git/alternates.ts';
import { dateNow, writeCommit } from '../lib/git/commits.ts';
import { git, gitLine } from '../lib/git/git.ts';
import { copyObjects } from '../lib/git/packs.ts';
import { makeScratchFolder } from '../lib/scratch-folder.ts';
import type { CommitIdentity } from '../ports/workspace.ts';
import { runRef } from '../workspaces/git-store.ts';
import type { Base, UsableRepository } from './repository.ts';

/**
 * A commit on top of the base that holds the checkout as it is now, untracked files included. Made through an index of its own and
 * written to the git store alone: neither index nor objects of the person's repository change.
 */
export async function includeDirty(
  { found, store }: UsableRepository,
  base: Base,
  { run, identity }: { run: string; identity: CommitIdentity },
): Promise<Base> {
  const { toplevel, gitDir, commonDir } = found;
  if (toplevel === undefined) return base;
  await using scratch = await makeScratchFolder(join(tmpdir(), 'switchyard-index-'));
  const index = join(scratch.path, 'index');
  await copyFile(join(gitDir, 'index'), index).catch(() => undefined); // no index yet: git makes one
  const env = {
    GIT_INDEX_FILE: index,
    GIT_OBJECT_DIRECTORY: join(store.path, 'objects'),
    GIT_ALTERNATE_OBJECT_DIRECTORIES: alternateObjects([join(commonDir, 'objects')]),
  };
  await git(['-C', toplevel, 'add', '--all'], { flavour: 'user', env });
  const tree = await gitLine(['-C', toplevel, 'write-tree'], { flavour: 'user', env });
  // What was staged before, git has written over there alone.
  const from = { cwd: toplevel, flavour: 'user', env } as const;
  const to = { gitDir: store.path, flavour: 'harness' } as const;
  await copyObjects({ wanted: [tree, `^${base.commit}`], from, to, folder: store.path });
  const date = dateNow();
  const commit = await writeCommit(store.path, {
    tree,
    parents: [base.commit],
    author: { ...identity, date },
    committer: { name: 'Switchyard', email: 'switchyard@localhost', date },
    message: 'Include uncommitted changes\n',
  });
  await store.keep(runRef(run, 'base'), commit);
  return { ...base, commit };
}
