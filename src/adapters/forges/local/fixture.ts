import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CrashPoint, noCrashPoint } from '../../../lib/crash-point.ts';
import { type Content, plainGit, tempFolder, tempRepository, writeFiles } from '../../../testing/temp-repository.ts';
import { createLocalForge } from './index.ts';

const FIRST = { 'a.txt': 'a\n', 'b.txt': 'b\n', 'gone.txt': 'gone\n', 'dir/c.txt': 'c\n', '.gitignore': '*.log\n' };
export const SECOND = { 'a.txt': 'A\n', 'new/d.txt': 'd\n', 'x.log': 'log\n' };

/** The person's repository on `main` at `from`, and a store that has a descendant `to`. */
export async function stage({
  files = SECOND,
  remove = ['gone.txt'],
}: {
  files?: Record<string, Content>;
  remove?: string[];
} = {}) {
  const repository = await tempRepository(FIRST, { name: "the person's repo" });
  const home = await tempFolder();
  const from = await repository.git('rev-parse', 'HEAD');
  const work = join(home.path, 'work');
  const mirror = join(home.path, 'mirror.git');
  await plainGit(home.path, 'clone', '--quiet', repository.path, work);
  for (const path of remove) await rm(join(work, path), { recursive: true });
  await writeFiles(work, files);
  await plainGit(work, 'add', '-A', '-f');
  await plainGit(work, '-c', 'user.name=x', '-c', 'user.email=x@y', 'commit', '--quiet', '-m', 'Second');
  const to = await plainGit(work, 'rev-parse', 'HEAD');
  await plainGit(home.path, 'clone', '--quiet', '--bare', work, mirror);
  return {
    repository,
    home: home.path,
    mirror,
    from,
    to,
    forge: (crashPoint: CrashPoint = noCrashPoint) =>
      createLocalForge({ repository: repository.path, mirror, crashPoint }),
    read: (path: string) => readFile(join(repository.path, path), 'utf8'),
    head: () => repository.git('rev-parse', 'main'),
    status: () => repository.git('status', '--porcelain', '-uall'),
    async [Symbol.asyncDispose]() {
      await repository[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

/** Dies (throws) at the named crash point. */
export const dying =
  (armed: string): CrashPoint =>
  (name) =>
    name === armed ? Promise.reject(new Error('killed')) : Promise.resolve();
