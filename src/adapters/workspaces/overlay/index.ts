import { chmodSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { lstat, mkdir, readlink, rm, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { mountsBelow, runMounter, unmountBelow } from '../../../lib/mounts.ts';
import { cannotCreate, type Laying, type ProviderCandidate, type WorkspaceProvider } from '../../../ports/workspace.ts';
import { tryOverlay } from './probe.ts';

/** Overlay mounts of the kernel: a workspace of any size stands after one mount, and takes up what is written in it. */
export const overlayCandidate: ProviderCandidate = {
  kind: 'overlay',
  async probe({ layers, folder }) {
    const provider = createOverlayProvider();
    const missing = await tryOverlay(provider, { layers, folder });
    return missing === undefined ? provider : { missing };
  },
};

/**
 * In the folder beside: `upper` with what was written, `work` for the kernel, and a link `l0`, `l1`, … for each layer. Mount options name
 * these alone, so that no path, whatever it is called, has to stand in them, nor ever becomes too long.
 */
export function createOverlayProvider(): WorkspaceProvider {
  return {
    kind: 'overlay',
    perFileMs: 0,
    sameFiles: true,
    async lay({ signal, ...laying }) {
      try {
        signal.throwIfAborted();
        prepare(laying);
        if (laying.layers.length === 0) return; // nothing to lie over
        await mount(laying);
        signal.throwIfAborted();
      } catch (error) {
        await unmountAll(laying.folder);
        for (const folder of [laying.folder, laying.beside]) await rm(folder, { recursive: true, force: true });
        signal.throwIfAborted();
        throw cannotCreate(laying.folder, { full: codeOf(error) === 'ENOSPC', cause: error });
      }
    },
    async resume(laying) {
      if (laying.layers.length === 0) return (await stat(laying.folder).catch(() => undefined))?.isDirectory() ?? false;
      if (!(await isWhole(laying))) return false;
      if (isMounted(laying.folder)) return true;
      await mkdir(laying.folder, { recursive: true });
      try {
        await mount(laying);
        return true;
      } catch {
        return false; // a file system or a kernel that cannot do what the last one could
      }
    },
    written: ({ beside }) => join(beside, 'upper'),
    release: async ({ folder }) => unmountAll(folder),
  };
}

/** At once: a thread for each of these few steps would take longer than the step. */
function prepare({ folder, beside, layers }: Omit<Laying, 'signal'>): void {
  mkdirSync(folder, { recursive: true });
  if (layers.length === 0) return;
  mkdirSync(beside, { mode: 0o700 });
  // The folder shows the mode of `upper`.
  const { mode } = statSync(folder);
  for (const own of ['upper', 'work']) mkdirSync(join(beside, own));
  chmodSync(join(beside, 'upper'), mode);
  for (const [n, layer] of layers.entries()) symlinkSync(layer, join(beside, `l${n}`));
}

/**
 * `redirect_dir`: without it a folder of a layer cannot be renamed. `index`, `metacopy`: off, so that layers and what was written can be
 * put together again after they were copied or moved, and so that a file that was changed at all is whole in `upper`. `xino`: file
 * numbers as they are in the layer. Private, so that no mount of ours appears in a namespace of anybody else's.
 */
async function mount({ folder, beside, layers }: Laying): Promise<void> {
  const lower = layers.map((_, n) => `l${n}`).join(':');
  const options = `lowerdir=${lower},upperdir=upper,workdir=work,redirect_dir=on,index=off,metacopy=off,xino=off`;
  const target = relative(beside, folder);
  const args = ['-n', '-i', '--make-private', '-t', 'overlay', '-o', options, 'switchyard', target];
  const complaint = await runMounter('mount', args, beside);
  if (complaint !== undefined) throw new Error(complaint);
}

async function isWhole({ beside, layers }: Laying): Promise<boolean> {
  try {
    for (const own of ['upper', 'work']) if (!(await lstat(join(beside, own))).isDirectory()) return false;
    for (const [n, layer] of layers.entries()) {
      if ((await readlink(join(beside, `l${n}`))) !== layer || !(await stat(layer)).isDirectory()) return false;
    }
    return true;
  } catch {
    return false;
  }
}

function isMounted(folder: string): boolean {
  return mountsBelow(folder).some(({ path, type }) => path === folder && type === 'overlay');
}

async function unmountAll(folder: string): Promise<string[]> {
  const busy = await unmountBelow(folder);
  return busy.map(
    (path) => `Something still uses ${path}: it was taken out of sight, and is free when that has ended.`,
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
