import { link, lstat, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../lib/error.ts';
import { runOwn } from '../../../lib/exec/own-program.ts';
import { makeScratchFolder } from '../../../lib/scratch-folder.ts';
import type { WorkspaceProvider } from '../../../ports/workspace.ts';

/**
 * Does in a small overlay what workspaces need, on the very disks that they will lie on. What does not work here, as half a sentence;
 * undefined when all does. Ordinary users get no overlay here, whatever the kernel lets them do: it says why.
 */
export async function tryOverlay(
  provider: WorkspaceProvider,
  { layers, folder }: { layers: string; folder: string },
): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return tryInUserNamespace({ layers, folder });
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

/**
 * An ordinary user's overlay lies in a namespace of its own, where neither this process nor programs' walls see it. What a folder of the
 * layer does there when it is renamed is tried all the same: tools that move folders would fail.
 */
async function tryInUserNamespace({ layers, folder }: { layers: string; folder: string }): Promise<string> {
  await using below = await makeScratchFolder(join(layers, '.probe-'));
  await using above = await makeScratchFolder(join(folder, '.probe-'));
  await mkdir(join(below.path, 'layer/kept'), { recursive: true });
  await writeFile(join(below.path, 'layer/kept/file'), 'of the layer');
  for (const own of ['upper', 'work', 'tree']) await mkdir(join(above.path, own));
  await symlink(join(below.path, 'layer'), join(above.path, 'l0'));
  const script = ['-e', RENAME_BY_NODE, join(above.path, 'tree/kept'), join(above.path, 'tree/moved')];
  const args = ['-Urm', 'sh', '-c', MOUNT_AND_RUN, 'probe', process.execPath, ...script];
  const { code, stdout, stderr } = await runOwn('unshare', args, { cwd: above.path }).catch((error: unknown) => ({
    code: CANNOT_MOUNT,
    stdout: Buffer.of(),
    stderr: messageOf(error),
  }));
  const last = stderr.trim().split('\n').at(-1) ?? '';
  if (code !== 0) return `only root can mount overlays here (in a user namespace: ${last || `it ended with ${code}`})`;
  const said = stdout.toString().trim();
  if (said !== '')
    return `only root can mount overlays in which folders can be renamed (in a user namespace, renaming one gives ${said})`;
  return 'only root can mount overlays that programs of other namespaces see';
}

const CANNOT_MOUNT = 1;

const MOUNT_AND_RUN = `
mount -n -i -t overlay -o lowerdir=l0,upperdir=upper,workdir=work,userxattr overlay tree || exit 1
exec "$@"`;

/** Says the error's code, or nothing. */
const RENAME_BY_NODE = `
try { require('node:fs').renameSync(process.argv[1], process.argv[2]); } catch (error) { console.log(error.code); }`;

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
