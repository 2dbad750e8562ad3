import { mkdir, readdir, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { isThere } from '../lib/is-there.ts';
import type { ProviderCandidate, WorkspaceProvider } from '../ports/workspace.ts';
import { smallDisk } from './small-disk.ts';
import { type Content, type TempFolder, tempFolder, writeFiles } from './temp-repository.ts';

/** Whatever paths a machine has, workspaces have to lie there. */
const ODD = 'home, of "a:b" \\ c\td ünï';

/**
 * What every provider of workspaces must do. `disk` gives a folder on a disk that it is made for, undefined where there can be none here;
 * without it, the temporary folder is one. Where the candidate does not work, all is skipped, with the reason.
 */
export function workspaceContract({
  title,
  candidate,
  disk = () => tempFolder(),
}: {
  title: string;
  candidate: ProviderCandidate;
  disk?: () => Promise<TempFolder | undefined>;
}): void {
  describe(`${title} as a workspace provider`, () => {
    test('the folder holds the files of all layers: contents, modes, links and odd names', async (context) => {
      await using place = await prepare(context, {
        upper: {
          'a.txt': 'a\n',
          'dir/with space/new\nline "quoted"': 'odd\n',
          '-dash': 'dash\n',
          ünï: 'u\n',
          run: { executable: '#!/bin/sh\n' },
          link: { link: 'a.txt' },
        },
        lower: { 'b.txt': 'b\n', 'dir/below': 'below\n' },
      });
      await place.lay();
      const names = ['-dash', 'a.txt', 'b.txt', 'dir', 'link', 'run', 'ünï'];
      expect((await readdir(place.folder)).sort()).toEqual(names);
      expect((await readdir(join(place.folder, 'dir'))).sort()).toEqual(['below', 'with space']);
      expect(await readFile(join(place.folder, 'dir/with space/new\nline "quoted"'), 'utf8')).toBe('odd\n');
      expect(await readlink(join(place.folder, 'link'))).toBe('a.txt');
      expect((await stat(join(place.folder, 'run'))).mode & 0o111).toBe(0o111);
    });

    test('what an upper layer has hides what a lower one has', async (context) => {
      await using place = await prepare(context, { upper: { a: 'upper' }, lower: { a: 'lower', b: 'lower' } });
      await place.lay();
      expect(await place.read('a', 'b')).toEqual(['upper', 'lower']);
    });

    test('times stay those of the layer, and numbers where the provider says so', async (context) => {
      await using place = await prepare(context, { upper: { 'dir/a': 'a' } });
      await place.lay();
      const [there, here] = [await stat(join(place.upper, 'dir/a')), await stat(join(place.folder, 'dir/a'))];
      expect(here.mtimeMs).toBe(there.mtimeMs);
      if (place.provider.sameFiles) expect([here.ino, here.ctimeMs]).toEqual([there.ino, there.ctimeMs]);
    });

    test('nothing that is done in the folder reaches a layer', async (context) => {
      await using place = await prepare(context, { upper: { 'dir/a': 'a', b: 'b', 'old/c': 'c' } });
      await place.lay();
      await writeFile(join(place.folder, 'dir/a'), 'changed');
      await writeFile(join(place.folder, 'dir/new'), 'new');
      await rm(join(place.folder, 'b'));
      await rename(join(place.folder, 'old'), join(place.folder, 'moved'));
      expect(await place.read('dir/a', 'dir/new', 'moved/c')).toEqual(['changed', 'new', 'c']);
      expect((await readdir(place.folder)).sort()).toEqual(['dir', 'moved']);
      expect((await readdir(place.upper, { recursive: true })).sort()).toEqual(['b', 'dir', 'dir/a', 'old', 'old/c']);
      expect(await readFile(join(place.upper, 'dir/a'), 'utf8')).toBe('a');
    });

    test('two folders over the same layers have nothing to do with each other', async (context) => {
      await using place = await prepare(context, { upper: { a: 'a' } });
      await place.lay();
      const other = { folder: join(place.root, 'other/tree'), beside: join(place.root, 'other/beside') };
      await mkdir(join(place.root, 'other'));
      const signal = new AbortController().signal;
      await place.provider.lay({ ...other, layers: [place.upper], signal });
      await writeFile(join(other.folder, 'a'), 'other');
      expect(await place.read('a')).toEqual(['a']);
      await place.provider.release(other);
    });

    test('an empty folder may be there already, and keeps its mode', async (context) => {
      await using place = await prepare(context, { upper: { 'a.txt': 'a\n' } });
      await mkdir(place.folder, { recursive: true, mode: 0o700 });
      await place.lay();
      expect(await readdir(place.folder)).toEqual(['a.txt']);
      expect((await stat(place.folder)).mode & 0o777).toBe(0o700);
    });

    test('what was written is there after the folder was released and had back', async (context) => {
      await using place = await prepare(context, { upper: { 'dir/a': 'a', b: 'b' } });
      await place.lay();
      await writeFile(join(place.folder, 'new'), 'new');
      await rename(join(place.folder, 'dir'), join(place.folder, 'moved'));
      await rm(join(place.folder, 'b'));
      await place.provider.release(place);
      expect(await place.resume()).toBe(true);
      expect(await place.resume()).toBe(true);
      expect((await readdir(place.folder)).sort()).toEqual(['moved', 'new']);
      expect(await place.read('new', 'moved/a')).toEqual(['new', 'a']);
    });

    test('without layers it is an empty folder', async (context) => {
      await using place = await prepare(context, { upper: { a: 'a' } });
      const bare = { folder: place.folder, beside: place.beside, layers: [] };
      await place.provider.lay({ ...bare, signal: new AbortController().signal });
      expect(await readdir(place.folder)).toEqual([]);
      await writeFile(join(place.folder, 'new'), 'new');
      await place.provider.release(place);
      expect(await place.provider.resume(bare)).toBe(true);
      expect(await place.read('new')).toEqual(['new']);
    });

    test('a folder that was never laid cannot be had back', async (context) => {
      await using place = await prepare(context, { upper: { a: 'a' } });
      expect(await place.resume()).toBe(false);
    });

    test('a released folder and the one beside it can be removed, and releasing again is fine', async (context) => {
      await using place = await prepare(context, { upper: { a: 'a' } });
      await place.lay();
      expect(await place.provider.release(place)).toEqual([]);
      await rm(place.folder, { recursive: true });
      await rm(place.beside, { recursive: true, force: true });
      expect(await place.provider.release(place)).toEqual([]);
      expect(await readFile(join(place.upper, 'a'), 'utf8')).toBe('a');
    });

    test('a full disk rejects with a code and leaves nothing', async (context) => {
      await using place = await prepare(context, { upper: { big: 'x'.repeat(600_000) } });
      if (place.provider.perFileMs === 0) context.skip('laying writes nothing');
      await using full = await smallDisk();
      if (full === undefined) return context.skip('only root can mount a small disk here');
      const at = { folder: join(full.path, 'tree'), beside: join(full.path, 'beside') };
      const laying = place.provider.lay({ ...at, layers: [place.upper], signal: new AbortController().signal });
      const retry = candidate.kind === 'copy' ? 'backoff' : 'never'; // contents cannot be shared with another disk at all
      await expect(laying).rejects.toMatchObject({ code: 'workspace/cannot-create', retry });
      return expect(await isThere(at.folder)).toBe(false);
    });

    test('a layer that is not there rejects with a code and leaves nothing', async (context) => {
      await using place = await prepare(context, { upper: { a: 'a' } });
      await rm(place.upper, { recursive: true });
      await expect(place.lay()).rejects.toMatchObject({ code: 'workspace/cannot-create' });
      expect(await isThere(place.folder)).toBe(false);
    });

    test('an aborted laying rejects with the reason and leaves nothing', async (context) => {
      await using place = await prepare(context, { upper: { a: 'a' } });
      await expect(place.lay(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
      expect(await isThere(place.folder)).toBe(false);
    });
  });

  async function prepare(context: TestContext, files: { upper: Files; lower?: Files }) {
    const home = await disk();
    if (home === undefined) return context.skip('only root can mount such a disk here');
    const root = join(home.path, ODD);
    const [upper, lower] = [join(root, 'layers/upper'), join(root, 'layers/lower')];
    await mkdir(upper, { recursive: true });
    await writeFiles(upper, files.upper);
    if (files.lower !== undefined) await writeFiles(lower, files.lower);
    const probed = await candidate.probe({ layers: join(root, 'layers'), folder: root });
    if ('missing' in probed) {
      await home[Symbol.asyncDispose]();
      return context.skip(probed.missing);
    }
    const provider: WorkspaceProvider = probed;
    const place = { folder: join(root, 'run/tree'), beside: join(root, 'run/beside') };
    await mkdir(join(root, 'run'));
    const layers = [upper, ...(files.lower === undefined ? [] : [lower])];
    return {
      ...place,
      root,
      provider,
      upper,
      lay: (signal = new AbortController().signal) => provider.lay({ ...place, layers, signal }),
      resume: () => provider.resume({ ...place, layers }),
      read: (...paths: string[]) => Promise.all(paths.map((path) => readFile(join(place.folder, path), 'utf8'))),
      async [Symbol.asyncDispose]() {
        await provider.release(place);
        await home[Symbol.asyncDispose]();
      },
    };
  }
}

type Files = Readonly<Record<string, Content>>;
