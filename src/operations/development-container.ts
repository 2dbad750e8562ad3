import { INSIDE } from '../engine/enclosure.ts';
import type { Walls } from '../ports/sandbox.ts';
import { recipeAt } from '../workspaces/devcontainer/at-commit.ts';
import type { GitStore } from '../workspaces/git-store.ts';

/** What a run in a container takes from the repository's `.devcontainer`, as its base commit has it. */
export interface DevelopmentContainer {
  /** Used where the repository declares no setup of its own. */
  readonly setup: string | undefined;
  /** What of it is in force and what is not, one sentence each. */
  readonly notes: readonly string[];
}

const NOTHING: DevelopmentContainer = { setup: undefined, notes: [] };

/** Which image programs run in is for the machine's owner to say: a repository cannot choose its walls. */
export async function developmentContainer(
  walls: Pick<Walls, 'level'>,
  { store, commit, image }: { store: GitStore; commit: string; image: string | undefined },
): Promise<DevelopmentContainer> {
  if (walls.level !== 'container') return NOTHING;
  const read = await recipeAt(store.path, commit, { workspace: INSIDE.folder });
  if (read === undefined) return NOTHING;
  if (read.kind === 'refused')
    return { setup: undefined, notes: read.problems.map((text) => `.devcontainer: ${text}`) };
  const { recipe } = read;
  const wanted = recipe.base.kind === 'image' ? recipe.base.image : 'an image that is to be built';
  const inForce = image ?? 'none';
  const variables = Object.keys(recipe.env);
  return {
    setup: recipe.setup,
    notes: [
      ...(wanted === image
        ? []
        : [`.devcontainer asks for ${wanted}; in force is ${inForce}, which config.yaml names.`]),
      ...(variables.length === 0 ? [] : [`.devcontainer: variables are not in force: ${variables.join(', ')}.`]),
      ...recipe.notes,
    ],
  };
}
