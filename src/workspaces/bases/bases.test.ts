import { lstat, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { git } from '../../lib/git/git.ts';
import { mountsBelow, unmountBelow } from '../../lib/mounts.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { plainWorkspaces } from '../../testing/plain-workspaces.ts';
import { imageDisk } from '../../testing/small-disk.ts';
import { type TempFolder, tempFolder } from '../../testing/temp-repository.ts';
import { agentIn, dyingAt, exists, type Fixture, fixture, TEXT } from '../fixture.ts';
import type { Opened } from '../workspaces.ts';

const FILES = {
  'a.txt': 'a\n',
  'dir/b.txt': 'b\n',
  '.gitignore': 'node_modules\n',
  run: { executable: '#!/bin/sh\n' },
};

const root = process.geteuid?.() === 0;

/** What git finds different when it believes its index about nothing, and when it believes it. */
async function differences({ workspace }: Opened, at: Fixture, run = 'r1'): Promise<string[]> {
  const options = { gitDir: join(at.folder, run, 'git'), workTree: workspace.folder, cwd: workspace.folder };
  const believed = await git(['diff-files', '--name-only'], options);
  const env = { GIT_INDEX_FILE: join(at.folder, run, 'fresh.index') };
  await git(['read-tree', workspace.head], { ...options, env });
  await git(['update-index', '-q', '--refresh'], { ...options, env });
  const read = await git(['diff-files', '--name-only'], { ...options, env });
  const others = await git(['ls-files', '--others', '--exclude-standard'], { ...options, env });
  return Buffer.concat([believed, read, others])
    .toString()
    .split('\n')
    .filter((line) => line !== '');
}

for (const kind of ['overlay', 'reflink'] as const) {
  describe.skipIf(!root)(`over bases, by ${kind}`, () => {
    let image: TempFolder | undefined;
    beforeAll(async () => {
      image = kind === 'reflink' ? await imageDisk('xfs') : await tempFolder();
    });
    afterAll(async () => {
      await image?.[Symbol.asyncDispose]();
    });
    let count = 0;
    const begin = async (files: Parameters<typeof fixture>[0] = FILES): Promise<Fixture> => {
      if (image === undefined) throw new Error('there is no such file system here');
      const path = join(image.path, `home ${(count += 1)}`);
      await mkdir(path);
      const disk = { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
      return fixture(files, { wanted: kind, disk });
    };

    test('the files of a commit are written once, and workspaces over them are as if each was written', async () => {
      await using at = await begin();
      const opened = await Promise.all(['r1', 'r2', 'r3'].map((run) => at.workspaces.open(at.request({ run }))));
      expect(await readdir(join(at.bases, at.store.id))).toEqual([`source-${at.base}`]);
      for (const [n, one] of opened.entries()) {
        expect(await differences(one, at, `r${n + 1}`)).toEqual([]);
        expect((await stat(join(one.workspace.folder, 'run'))).mode & 0o111).toBe(0o111);
      }
    });

    test('no git index has to read files for a base that is a second old', async () => {
      await using at = await begin();
      await at.workspaces.open(at.request());
      await nextSecond();
      const { workspace } = await at.workspaces.open(at.request({ run: 'r2' }));
      const index = join(at.folder, 'r2/git/index');
      const options = { gitDir: join(at.folder, 'r2/git'), workTree: workspace.folder, cwd: workspace.folder };
      const told = String(await git(['ls-files', '--debug', 'a.txt'], options));
      const { ino, mtimeMs } = await lstat(join(workspace.folder, 'a.txt'));
      expect(told).toContain(`ino: ${ino}`);
      expect(told).toContain(`mtime: ${Math.floor(mtimeMs / 1000)}:`);
      if (kind === 'overlay') expect((await stat(index)).mtimeMs).toBeGreaterThan(mtimeMs);
    });

    test('a change that keeps size and time of a file is seen, right after the files were laid', async () => {
      await using at = await begin();
      const { workspace } = await at.workspaces.open(at.request());
      await workspace.checkpoint();
      const file = join(workspace.folder, 'a.txt');
      const { atime, mtime } = await lstat(file);
      await writeFile(file, 'b\n');
      await utimes(file, atime, mtime);
      expect(await workspace.changedSince(at.base)).toEqual(['a.txt']);
    });

    test('a run at another commit is laid over the newest base and catches up, and a base of its commit is made meanwhile', async () => {
      await using at = await begin();
      await at.workspaces.open(at.request());
      await at.repository.commit({ 'a.txt': 'A\n', 'new/c.txt': 'c\n' });
      await at.repository.git('rm', '--quiet', 'dir/b.txt');
      await at.repository.git('commit', '--quiet', '-m', 'Less');
      const next = await at.store.fetchCommit('main');
      const opened = await at.workspaces.open(at.request({ run: 'r2', head: next, base: next }));
      expect(await differences(opened, at, 'r2')).toEqual([]);
      expect(await readdir(opened.workspace.folder)).not.toContain('dir');
      await at.workspaces.idle();
      expect((await at.workspaces.listBases()).map(({ commit }) => commit)).toContain(next);
      const other = await at.workspaces.open(at.request({ run: 'r3', head: next, base: next }));
      expect(await differences(other, at, 'r3')).toEqual([]);
    });

    test('what runs write reaches neither the base nor each other', async () => {
      await using at = await begin();
      const { workspace: first } = await at.workspaces.open(at.request());
      await agentIn(first.folder).write({ 'a.txt': 'evil\n', 'dir/new': 'evil\n', 'node_modules/x': 'evil\n' });
      await rm(join(first.folder, 'dir/b.txt'));
      await first.collect(TEXT);
      const second = await at.workspaces.open(at.request({ run: 'r2' }));
      expect(await differences(second, at, 'r2')).toEqual([]);
      expect(await exists(join(second.workspace.folder, 'node_modules'))).toBe(false);
    });

    test('a workspace is found again by a later start, and had back after its mount is gone', async () => {
      await using at = await begin();
      const { workspace } = await at.workspaces.open(at.request());
      await agentIn(workspace.folder).write({ 'b.txt': 'b\n' });
      const found = await at.another().open(at.request({ reuse: true, attempt: 2 }));
      expect(found.fresh).toBe(false);
      await unmountBelow(at.folder); // as a reboot leaves it
      const back = await at.another().open(at.request({ reuse: true, attempt: 3 }));
      expect(back.fresh).toBe(false);
      expect(await back.workspace.changedSince(at.base)).toEqual(['b.txt']);
    });

    test('it is made again from its checkpoint by another provider', async () => {
      await using at = await begin();
      const { workspace } = await at.workspaces.open(at.request());
      await agentIn(workspace.folder).write({ 'b.txt': 'b\n' });
      const checkpoint = await workspace.checkpoint();
      const plain = at.another({ provider: plainWorkspaces() });
      const { workspace: again, fresh } = await plain.open(at.request({ reuse: true, attempt: 2, checkpoint }));
      expect(fresh).toBe(true);
      expect(await again.changedSince(at.base)).toEqual(['b.txt']);
      expect(mountsBelow(join(at.folder, 'r1'))).toEqual([]);
      const { workspace: back } = await at.workspaces.open(at.request({ reuse: true, attempt: 3, checkpoint }));
      expect(await back.changedSince(at.base)).toEqual(['b.txt']);
    });

    test('removing takes workspace and mounts away, and its files soon after', async () => {
      await using at = await begin();
      const { workspace } = await at.workspaces.open(at.request());
      await agentIn(workspace.folder).write({ 'b.txt': 'b\n' });
      await at.workspaces.remove('r1');
      expect(await exists(join(at.folder, 'r1'))).toBe(false);
      expect(await at.workspaces.list()).toEqual([]);
      await at.workspaces.idle();
      expect(await readdir(join(at.folder, '.removed'))).toEqual([]);
      expect(mountsBelow(at.folder)).toEqual([]);
    });

    test.each(['workspace.before', 'workspace.after'])('a death at %s leaves nothing in the way', async (point) => {
      await using at = await begin();
      await expect(at.open({}, dyingAt(point))).rejects.toThrow('killed');
      const opened = await at.another().open(at.request({ reuse: true, attempt: 2 }));
      expect(opened.fresh).toBe(true);
      expect(await differences(opened, at)).toEqual([]);
    });

    test('a base goes when nothing lies over it and a newer one is there, and its commit is kept until then', async () => {
      await using at = await begin();
      await at.workspaces.open(at.request());
      await at.repository.commit({ 'a.txt': 'A\n' });
      const next = await at.store.fetchCommit('main');
      await at.workspaces.warm({ store: at.store, commit: next, signal: new AbortController().signal });
      const refs = async () => (await at.store.list('refs/switchyard/base/')).map(({ commit }) => commit).sort();
      expect(await refs()).toEqual([at.base, next].sort());
      const later = { now: () => Date.now() + 30 * 24 * 60 * 60_000, sleep: () => Promise.resolve() };
      const collector = at.another({ clock: later });
      if (kind === 'overlay') expect(await collector.collectBases({ store: at.store })).toEqual([]);
      await at.workspaces.remove('r1');
      await at.workspaces.idle();
      expect(await collector.collectBases({ store: at.store, dryRun: true })).toHaveLength(1);
      expect(await collector.collectBases({ store: at.store })).toMatchObject([{ commit: at.base, kind: 'source' }]);
      expect((await at.workspaces.listBases()).map(({ commit }) => commit)).toEqual([next]);
      expect(await refs()).toEqual([next]);
    });

    test('of commits that nothing lies over a few are kept, whenever they were used', async () => {
      await using at = await begin();
      const commits: string[] = [];
      for (let n = 0; n < 8; n++) {
        await at.repository.commit({ 'a.txt': `${n}\n` });
        commits.push(await at.store.fetchCommit('main'));
        await at.workspaces.warm({ store: at.store, commit: commits[n] ?? '', signal: new AbortController().signal });
      }
      const kept = (await at.workspaces.listBases()).map(({ commit }) => commit);
      expect(kept.sort()).toEqual(commits.slice(3).sort());
    });

    test('workspaces over a branch that moves with each of them do not make a base of each commit', async () => {
      await using at = await begin();
      const workspaces = at.another({ clock: new ManualClock() });
      await workspaces.open(at.request());
      for (let n = 0; n < 6; n++) {
        await at.repository.commit({ 'a.txt': `${n}\n` });
        const base = await at.store.fetchCommit('main');
        const opened = await workspaces.open(at.request({ run: `m${n}`, base, head: base }));
        await workspaces.idle();
        expect(await readFile(join(opened.workspace.folder, 'a.txt'), 'utf8')).toBe(`${n}\n`);
      }
      expect((await workspaces.listBases()).length).toBeLessThanOrEqual(2);
    });

    test('a start removes what a dead builder left, and what is mounted for runs that are no more', async () => {
      await using at = await begin();
      await at.workspaces.open(at.request());
      await at.workspaces.open(at.request({ run: 'r2' }));
      const draft = join(at.bases, at.store.id, 'draft-dead');
      await mkdir(join(draft, 'base'), { recursive: true });
      const dead = { pid: 1, start: 'never', seenFrom: '' };
      const alive = await liveMark(at);
      await writeFile(
        join(draft, '.switchyard-scratch.json'),
        JSON.stringify({ ...alive, ...dead, seenFrom: alive.seenFrom }),
      );
      const later = at.another();
      await later.sweep(['r2']);
      await later.idle();
      expect(await exists(draft)).toBe(false);
      const mounted = mountsBelow(at.folder).map(({ path }) => path);
      expect(mounted).toEqual(kind === 'overlay' ? [join(at.folder, 'r2/tree')] : []);
      const { fresh } = await later.open(at.request({ reuse: true, attempt: 2 }));
      expect(fresh).toBe(false);
    });
  });
}

/** What a scratch folder of this process says of its maker. */
async function liveMark(at: Fixture): Promise<{ seenFrom: string }> {
  const { makeScratchFolder } = await import('../../lib/scratch-folder.ts');
  await using scratch = await makeScratchFolder(join(at.bases, 'mark-'));
  return JSON.parse(await readFile(join(scratch.path, '.switchyard-scratch.json'), 'utf8')) as { seenFrom: string };
}

async function nextSecond(): Promise<void> {
  const second = Math.floor(Date.now() / 1000);
  while (Math.floor(Date.now() / 1000) === second) await new Promise((resolve) => setTimeout(resolve, 20));
}
