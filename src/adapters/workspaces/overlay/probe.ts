import { link, lstat, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../lib/error.ts';
import { makeScratchFolder } from '../../../lib/scratch-folder.ts';
import type { WorkspaceProvider } from '../../../ports/workspace.ts';

/**
 * Does in a small overlay what workspaces need, on the very disks that they will lie on. What does not work here, as half a sentence;
 * undefined when all does. Ordinary users may make overlays in a user namespace, where folders cannot be renamed and nobody outside
 * sees them: they are no use.
 */
export async function tryOverlay(
  provider: WorkspaceProvider,
  { layers, folder }: { layers: string; folder: string },
): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return 'only root can mount overlays in which folders can be renamed';
  await using below = await makeScratchFolder(join(layers, '.probe-'));
  await using above = await makeScratchFolder(join(folder, '.probe-'));
  const layer = join(below.path, 'layer');
  await mkdir(join(layer, 'kept/deep'), { recursive: true });
  await mkdir(join(layer, 'gone'));
  for (const file of ['kept/deep/file', 'gone/file']) await writeFile(join(layer, file), 'of the layer');
  const place = { folder: join(above.path, 'tree'), beside: join(above.path, 'beside') };
  try {
    await provider.lay({ ...place, layers: [layer], signal: new AbortController().signal });
  } catch (error) {
    return `an overlay cannot be mounted (${messageOf(error instanceof Error && error.cause ? error.cause : error)})`;
  }
  try {
    for (const [what, works] of TRIALS) {
      const failure = await works(place.folder, layer).then(
        (ok) => (ok ? undefined : 'it did something else'),
        (error: unknown) => messageOf(error),
      );
      if (failure !== undefined) return `overlays here cannot ${what} (${failure})`;
    }
    await provider.release(place);
    const back = await provider.resume({ ...place, layers: [layer] });
    if (!back || (await readFile(join(place.folder, 'new'), 'utf8')) !== 'new')
      return 'an overlay cannot be mounted again';
    return undefined;
  } finally {
    await provider.release(place);
    await rm(place.beside, { recursive: true, force: true });
  }
}

type Trial = readonly [what: string, works: (tree: string, layer: string) => Promise<boolean>];

const TRIALS: readonly Trial[] = [
  [
    'be written to',
    async (tree) => {
      await writeFile(join(tree, 'new'), 'new');
      return (await readFile(join(tree, 'new'), 'utf8')) === 'new';
    },
  ],
  [
    'rename a folder of the layer',
    async (tree) => {
      await rename(join(tree, 'kept'), join(tree, 'moved'));
      return (await readFile(join(tree, 'moved/deep/file'), 'utf8')) === 'of the layer';
    },
  ],
  [
    'link a file',
    async (tree) => {
      await link(join(tree, 'moved/deep/file'), join(tree, 'linked'));
      return (await readFile(join(tree, 'linked'), 'utf8')) === 'of the layer';
    },
  ],
  [
    'hide what was removed',
    async (tree, layer) => {
      await rm(join(tree, 'gone'), { recursive: true });
      const left = await lstat(join(tree, 'gone')).catch(() => undefined);
      return left === undefined && (await stat(join(layer, 'gone/file'))).isFile();
    },
  ],
  [
    'change a file and leave the layer as it is',
    async (tree, layer) => {
      await writeFile(join(tree, 'moved/deep/file'), 'changed');
      return (await readFile(join(layer, 'kept/deep/file'), 'utf8')) === 'of the layer';
    },
  ],
];
