import type { MachineConfig } from '../config/machine.ts';
import type { SandboxLevel } from '../domain/sandbox.ts';
import type { RunContainer, RunSettings } from '../domain/settings.ts';
import { INSIDE } from '../engine/enclosure.ts';
import { SwitchyardError } from '../lib/error.ts';
import type { ContainerImages, FoundImage } from '../ports/sandbox/container-images.ts';
import { recipeAt, textAt } from '../workspaces/devcontainer/at-commit.ts';
import { type BuildRecipe, buildOrder } from '../workspaces/devcontainer/build-order.ts';
import { readDockerfile } from '../workspaces/devcontainer/dockerfile.ts';
import { harmlessVariables } from '../workspaces/devcontainer/harmless.ts';
import { isAllowedImage } from '../workspaces/devcontainer/image-names.ts';
import type { ContainerRecipe } from '../workspaces/devcontainer/recipe.ts';
import type { GitStore } from '../workspaces/git-store.ts';

/** What a run in a container takes from the repository's `.devcontainer`, as its base commit has it. */
export interface DevelopmentContainer {
  /** What its programs run in; undefined: what the machine names. */
  readonly container: RunContainer | undefined;
  /** Used where the repository declares no setup of its own. */
  readonly setup: string | undefined;
  /** What of it is in force and what is not, one sentence each. */
  readonly notes: readonly string[];
}

export interface DevelopmentContainerParts {
  readonly store: Pick<GitStore, 'path'>;
  readonly commit: string;
  readonly machine: Pick<MachineConfig, 'container' | 'resources'>;
  readonly images: ContainerImages;
  /** The user that programs run as. */
  readonly user: number;
  /** Ends a pull or a build. */
  readonly signal?: AbortSignal;
}

const NOTHING: DevelopmentContainer = { container: undefined, setup: undefined, notes: [] };

/**
 * Which image programs run in is for the machine's owner to say: a repository chooses among what `container.devcontainer` in config.yaml
 * allows, and nothing where that is not there. What is allowed and cannot be had rejects with `devcontainer/no-image`: the repository's
 * programs would not work in another.
 */
export async function developmentContainer(
  level: SandboxLevel,
  parts: DevelopmentContainerParts,
): Promise<DevelopmentContainer> {
  if (level !== 'container') return NOTHING;
  const read = await recipeAt(parts.store.path, parts.commit, { workspace: INSIDE.folder });
  if (read === undefined) return NOTHING;
  if (read.kind === 'refused') return { ...NOTHING, notes: read.problems.map((text) => `.devcontainer: ${text}`) };
  const { recipe } = read;
  const chosen = await imageOf(recipe.base, parts);
  const { setup } = recipe;
  if (chosen.kind === 'machine') {
    const names = Object.keys(recipe.env);
    const unset = names.length === 0 ? [] : [`.devcontainer: variables are not in force: ${names.join(', ')}.`];
    return { container: undefined, setup, notes: [...chosen.notes, ...unset, ...recipe.notes] };
  }
  const { variables, refused } = harmlessVariables(recipe.env);
  const { name, id } = chosen;
  const notes = [
    `.devcontainer: programs run in ${name}, as config.yaml allows.`,
    ...refused.map(
      (variable) =>
        `.devcontainer: ${variable} is not set: runs set it themselves, or it would change how agents and tools work.`,
    ),
    ...userNotes(recipe.user, parts.user),
    ...recipe.notes,
  ];
  return { container: { name, image: id, variables }, setup, notes };
}

/** What of it a run's settings keep. */
export function containerSetting({ container }: DevelopmentContainer): Pick<RunSettings, 'container'> {
  return container === undefined ? {} : { container };
}

type Chosen =
  | { readonly kind: 'machine'; readonly notes: readonly string[] }
  | { readonly kind: 'own'; readonly name: string; readonly id: string };

async function imageOf(base: ContainerRecipe['base'], parts: DevelopmentContainerParts): Promise<Chosen> {
  const { image, devcontainer } = parts.machine.container;
  const inForce = image === undefined ? 'No image is in force' : `In force is ${image}, which config.yaml names`;
  if (base.kind === 'build') {
    if (devcontainer.build !== 'never') return built(base, parts);
    const why = `.devcontainer asks for an image that is to be built from ${base.dockerfile}, and building runs a repository's commands outside of the walls. ${inForce}; \`container: { devcontainer: { build: offline } }\` there would allow it.`;
    return { kind: 'machine', notes: [why] };
  }
  const isMachines = base.image === image;
  if (!isMachines && !isAllowedImage(base.image, devcontainer.images)) {
    const why = `.devcontainer asks for ${base.image}. ${inForce}; \`container: { devcontainer: { images: ["${base.image}"] } }\` there would allow it.`;
    return { kind: 'machine', notes: [why] };
  }
  const found = await parts.images.find(base.image, { pull: !isMachines, ...signalOf(parts) });
  return { kind: 'own', ...had(found, base.image) };
}

async function built(build: BuildRecipe, parts: DevelopmentContainerParts): Promise<Chosen> {
  const { store, commit, machine, images } = parts;
  const { devcontainer } = machine.container;
  const dockerfile = await textAt(store.path, commit, build.dockerfile);
  if (dockerfile === undefined) throw refused(build, ['the commit has no such file.']);
  const { bases, problems } = readDockerfile(dockerfile, build.args);
  const foreign = bases.filter((name) => !isAllowedImage(name, devcontainer.images));
  const all = [
    ...problems,
    ...foreign.map((name) => `it takes ${name}, which is not among \`container.devcontainer.images\` in config.yaml.`),
  ];
  if (all.length > 0) throw refused(build, all);
  const ids: string[] = [];
  for (const name of bases) ids.push(had(await images.find(name, { pull: true, ...signalOf(parts) }), name).id);
  const order = await buildOrder({
    store: store.path,
    commit,
    build,
    dockerfile,
    bases: ids,
    isOnline: devcontainer.build === 'online',
    limits: machine.resources,
  });
  return { kind: 'own', ...had(await images.build(order, signalOf(parts)), build.dockerfile) };
}

function had(found: FoundImage, wanted: string): { readonly name: string; readonly id: string } {
  if (found.kind === 'found') return found;
  throw new SwitchyardError({
    code: 'devcontainer/no-image',
    message: `The repository's .devcontainer wants ${wanted}, which cannot be had: ${found.why}.`,
    hint: 'Get it by hand, or take what allows it out of `container.devcontainer` in config.yaml: then the image that is named there is used.',
  });
}

function refused({ dockerfile }: BuildRecipe, problems: readonly string[]): SwitchyardError {
  return new SwitchyardError({
    code: 'devcontainer/refused',
    message: [
      `${dockerfile} of the repository's .devcontainer is not built:`,
      ...problems.map((text) => `  ${text}`),
    ].join('\n'),
    hint: 'Build the image by hand and name it in devcontainer.json or in config.yaml, or change the Dockerfile.',
  });
}

function signalOf({ signal }: DevelopmentContainerParts): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** Walls run programs as whoever owns the workspace: with another user they could not write to it. */
function userNotes(wanted: string | undefined, user: number): string[] {
  if (wanted === undefined || wanted === String(user) || (wanted === 'root' && user === 0)) return [];
  return [
    `.devcontainer: remoteUser ${wanted} counts by number only: programs run as user ${user}, to whom the workspace belongs.`,
  ];
}
