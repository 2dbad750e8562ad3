import { mkdir } from 'node:fs/promises';
import type { ResourceName } from '../../../domain/sandbox.ts';
import { randomIds } from '../../../lib/ids.ts';
import { type EngineHost, type EngineKind, enginesOf } from './engine.ts';
import { usableImage } from './image.ts';
import type { ContainerHost } from './start-container.ts';
import { HOLDABLE, tryContainer } from './trial.ts';

export interface ContainerWallsParts extends EngineHost {
  /** What programs run in, by name or id; undefined where nobody names one. */
  readonly image: string | undefined;
  /** The image's name for people, where `image` is an id. */
  readonly imageName?: string | undefined;
  /** Set for all programs, over what the image sets. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
  /** Files and folders of this machine that all programs may read, at their own places; absolute. */
  readonly reads?: readonly string[];
  /** The only one to try; the first that works otherwise, podman before docker. */
  readonly engine?: EngineKind | undefined;
  /** For short-lived files; absolute. Made if it is missing. The engine must see it at the same path. */
  readonly folder: string;
  /** Names the home whose containers they are, for `clearContainers`. */
  readonly home: string;
}

/** Containers as an engine of this host can make them. */
export interface Probed {
  readonly host: ContainerHost;
  /** The limits that it holds them to. */
  readonly enforces: readonly ResourceName[];
  /** Name and id: what is made in one image is not taken for what is made in another. */
  readonly image: string;
}

/**
 * Looks for an engine with which containers of that image work. An engine is believed, with a set of options, only after a program ran in a container
 * with a bridge in its network. Which limits it was held to there is seen from outside. Otherwise what is missing, as half a sentence for a person.
 */
export async function probeContainers(parts: ContainerWallsParts): Promise<Probed | { readonly missing: string }> {
  const { image, which } = parts;
  if (image === undefined) return { missing: NO_IMAGE };
  const [mkfifo, nsenter, setpriv] = [await which('mkfifo'), await which('nsenter'), await which('setpriv')];
  if (mkfifo === undefined || nsenter === undefined || setpriv === undefined)
    return { missing: 'the programs mkfifo (coreutils), nsenter and setpriv (util-linux) are needed' };
  await mkdir(parts.folder, { recursive: true, mode: 0o700 });
  const shown = parts.imageName ?? image;
  const missing = new Map<EngineKind, string>();
  let best: Probed | undefined;
  for await (const engine of enginesOf(parts, parts.engine)) {
    const { kind, name } = engine;
    const found = await usableImage(engine, { name: image, shown: parts.imageName });
    if ('missing' in found) {
      missing.set(kind, found.missing);
      continue;
    }
    const host = {
      engine,
      image,
      variables: { ...found.variables, ...parts.variables },
      reads: parts.reads ?? [],
      folder: parts.folder,
      home: parts.home,
      mkfifo,
      nsenter,
      setpriv,
      ids: randomIds,
    };
    const tried = await tryContainer(host);
    if ('missing' in tried) {
      missing.set(kind, `${name.replaceAll(',', ', ')} with ${shown} does not work here (${tried.missing})`);
      continue;
    }
    const made = { host, enforces: tried.enforces, image: `${shown} ${found.id.slice(...ID)}` };
    if (made.enforces.length === HOLDABLE.length) return made;
    if (best === undefined || made.enforces.length > best.enforces.length) best = made;
  }
  if (best !== undefined) return best;
  const nothing =
    parts.engine === undefined ? 'neither podman nor docker is installed' : `${parts.engine} is not installed`;
  return { missing: [...missing.values()].join('; ') || nothing };
}

const NO_IMAGE =
  "no image is named; write `container: { image: NAME }` into this machine's config.yaml, with an image that has git, the toolchains of your repositories and your agents";

/** As much of an id as engines show. */
const ID = ['sha256:'.length, 'sha256:'.length + 12] as const;
