import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { git, gitLine } from '../../lib/git/git.ts';
import { makeScratchFolder } from '../../lib/scratch-folder.ts';
import type { ImageBuild } from '../../ports/sandbox/container-images.ts';
import type { ContainerRecipe } from './recipe.ts';

export type BuildRecipe = Extract<ContainerRecipe['base'], { readonly kind: 'build' }>;

export interface BuildParts {
  readonly store: string;
  readonly commit: string;
  readonly build: BuildRecipe;
  readonly dockerfile: string;
  /** Ids of the images that the Dockerfile begins with. */
  readonly bases: readonly string[];
  readonly isOnline: boolean;
  readonly limits: ImageBuild['limits'];
}

/**
 * What is built of a commit: its key names everything that the build sees, so that commits with the same files share an image. Rejects
 * where the commit has no such folder.
 */
export async function buildOrder(parts: BuildParts): Promise<ImageBuild> {
  const { store, commit, build, dockerfile, bases, isOnline, limits } = parts;
  const { context, args, target } = build;
  const tree = await gitLine(['rev-parse', '--verify', context === '.' ? `${commit}^{tree}` : `${commit}:${context}`], {
    gitDir: store,
  });
  const seen = JSON.stringify([
    1,
    tree,
    dockerfile,
    bases,
    Object.entries(args).toSorted(([one], [other]) => (one < other ? -1 : 1)),
    target ?? null,
    isOnline,
  ]);
  return {
    key: createHash('sha256').update(seen).digest('hex').slice(0, 24),
    dockerfile,
    bases,
    args,
    target,
    isOnline,
    limits,
    async writeContext(folder) {
      await using scratch = await makeScratchFolder(`${folder}.index-`);
      const options = { gitDir: store, workTree: folder, env: { GIT_INDEX_FILE: join(scratch.path, 'index') } };
      await git(['read-tree', tree], options);
      await git(['checkout-index', '--all', '--force'], { ...options, cwd: folder });
    },
  };
}
