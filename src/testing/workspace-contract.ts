import { mkdir, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { git } from '../lib/git/git.ts';
import type { WorkspaceProvider } from '../ports/workspace.ts';
import { smallDisk } from './small-disk.ts';
import { type TempRepository, tempFolder, tempRepository } from './temp-repository.ts';

/** What every provider of workspaces must do. `make` gives a provider that may use the folder for what it keeps. */
export function workspaceContract({
  title,
  make,
}: {
  title: string;
  make: (folder: string) => Promise<WorkspaceProvider>;
}): void {
  describe(`${title} as a workspace provider`, () => {
    test('the folder holds exactly the files of the commit: contents, modes, links and odd names', async () => {
      await using place = await prepare({
        'a.txt': 'a\n',
        'dir/with space/new\nline "quoted"': 'odd\n',
        '-dash': 'dash\n',
        ünï: 'u\n',
        run: { executable: '#!/bin/sh\n' },
        link: { link: 'a.txt' },
      });
      await place.create();
      expect((await readdir(place.folder)).sort()).toEqual(['-dash', 'a.txt', 'dir', 'link', 'run', 'ünï']);
      expect(await readlink(join(place.folder, 'link'))).toBe('a.txt');
      expect((await stat(join(place.folder, 'run'))).mode & 0o111).toBe(0o111);
      expect(await place.differences()).toBe('');
    });

    test('an empty folder may be there already', async () => {
      await using place = await prepare({ 'a.txt': 'a\n' });
      await mkdir(place.folder, { recursive: true });
      await place.create();
      expect(await readdir(place.folder)).toEqual(['a.txt']);
    });

    test('filters that the commit names are not run, whoever configured them', async () => {
      await using place = await prepare({ '.gitattributes': '* filter=evil\n', 'a.txt': 'a\n' });
      await place.repository.git('config', 'filter.evil.smudge', `touch '${place.canary}'`);
      await place.create();
      expect(await exists(place.canary)).toBe(false);
    });

    test('removing takes the folder away, and removing again is fine', async () => {
      await using place = await prepare({ 'a.txt': 'a\n' });
      await place.create();
      await place.provider.remove(place.folder);
      await place.provider.remove(place.folder);
      expect(await exists(place.folder)).toBe(false);
    });

    test('what a link in the folder points to survives the removal', async () => {
      await using place = await prepare({ 'a.txt': 'a\n', out: { link: '../../repo' } });
      await place.create();
      await place.provider.remove(place.folder);
      expect(await exists(join(place.repository.path, 'a.txt'))).toBe(true);
    });

    test('a full disk rejects with a code and leaves nothing', async ({ skip }) => {
      await using disk = await smallDisk();
      if (disk === undefined) return skip('only root can mount a small disk here');
      const big = Array.from({ length: 60_000 }, () => Math.random()).join();
      await using place = await prepare({ 'a.txt': 'a\n', big }, join(disk.path, 'tree'));
      await expect(place.create()).rejects.toMatchObject({ code: 'workspace/cannot-create', retry: 'backoff' });
      return expect(await exists(place.folder)).toBe(false);
    });

    test('an aborted creation rejects with the reason and leaves nothing', async () => {
      await using place = await prepare({ 'a.txt': 'a\n' });
      await expect(place.create(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
      expect(await exists(place.folder)).toBe(false);
    });
  });

  async function prepare(files: Parameters<TempRepository['commit']>[0], folder?: string) {
    const repository = await tempRepository(files);
    const home = await tempFolder();
    const gitDir = join(home.path, 'git');
    await git(['init', '--quiet', '--bare', '--template=', gitDir]);
    await git(['config', 'core.bare', 'false'], { gitDir });
    const commit = await repository.git('rev-parse', 'HEAD');
    await git(['fetch', '--quiet', '--no-write-fetch-head', repository.path, `${commit}:refs/heads/x`], { gitDir });
    const provider = await make(join(home.path, 'provider'));
    const at = folder ?? join(home.path, 'workspaces/run/tree');
    return {
      repository,
      provider,
      folder: at,
      canary: join(home.path, 'canary'),
      create: (signal = new AbortController().signal) =>
        provider.create({ mirror: join(repository.path, '.git'), gitDir, folder: at, commit, signal }),
      /** What differs from the commit, judged by an index made for the purpose. */
      async differences(): Promise<string> {
        const look = { gitDir, workTree: at, cwd: at };
        await git(['read-tree', commit], look);
        await git(['update-index', '-q', '--refresh'], look);
        return (
          String(await git(['diff-files', '--name-only'], look)) + String(await git(['ls-files', '--others'], look))
        );
      },
      async [Symbol.asyncDispose]() {
        await repository[Symbol.asyncDispose]();
        await home[Symbol.asyncDispose]();
      },
    };
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
