import { mkdir } from 'node:fs/promises';
import type { ResourceName } from '../../../domain/sandbox.ts';
import { messageOf } from '../../../lib/error.ts';
import { randomIds } from '../../../lib/ids.ts';
import type { SandboxDescription, Walls } from '../../../ports/sandbox.ts';
import { containerSandbox } from './container-sandbox.ts';
import { ask, type Engine, type EngineHost, type EngineKind, enginesOf } from './engine.ts';
import { isContainerNamespace } from './remains.ts';
import type { ContainerHost } from './start-container.ts';
import { HOLDABLE, tryContainer } from './trial.ts';

export { clearContainers, containerRemains, isContainerNamespace } from './remains.ts';

export interface ContainerWallsParts extends EngineHost {
  /** What programs run in; undefined where this machine names none. */
  readonly image: string | undefined;
  /** The only one to try; the first that works otherwise, podman before docker. */
  readonly engine?: EngineKind | undefined;
  /** For short-lived files; absolute. Made if it is missing. The engine must see it at the same path. */
  readonly folder: string;
  /** Names the home whose containers they are, for `clearContainers`. */
  readonly home: string;
}

/**
 * The level `container` as far as this host has it. An engine is believed, with a set of options, only after a program ran in a container
 * with a bridge in its network. Which limits it was held to there is seen from outside. Otherwise what is missing, as half a sentence for a person.
 */
export async function probeContainerWalls(parts: ContainerWallsParts): Promise<Walls | { readonly missing: string }> {
  const { image, which } = parts;
  if (image === undefined) return { missing: NO_IMAGE };
  const [mkfifo, nsenter, setpriv] = [await which('mkfifo'), await which('nsenter'), await which('setpriv')];
  if (mkfifo === undefined || nsenter === undefined || setpriv === undefined)
    return { missing: 'the programs mkfifo (coreutils), nsenter and setpriv (util-linux) are needed' };
  await mkdir(parts.folder, { recursive: true, mode: 0o700 });
  const missing = new Map<EngineKind, string>();
  let best: Walls | undefined;
  for await (const engine of enginesOf(parts, parts.engine)) {
    const { kind, name } = engine;
    const lacks = await lacking(engine, image);
    if (lacks !== undefined) {
      missing.set(kind, lacks);
      continue;
    }
    const host = { engine, image, folder: parts.folder, home: parts.home, mkfifo, nsenter, setpriv, ids: randomIds };
    const tried = await tryContainer(host);
    if ('missing' in tried) {
      missing.set(kind, `${name.replaceAll(',', ', ')} does not work here (${tried.missing})`);
      continue;
    }
    const found = walls(host, tried.enforces);
    if (found.enforces.length === HOLDABLE.length) return found;
    if (best === undefined || found.enforces.length > best.enforces.length) best = found;
  }
  if (best !== undefined) return best;
  const nothing =
    parts.engine === undefined ? 'neither podman nor docker is installed' : `${parts.engine} is not installed`;
  return { missing: [...missing.values()].join('; ') || nothing };
}

const NO_IMAGE =
  "no image is named; write `container: { image: NAME }` into this machine's config.yaml, with an image that has git, the toolchains of your repositories and your agents";

async function lacking(engine: Engine, image: string): Promise<string | undefined> {
  try {
    const { code, stderr } = await ask(engine, ['image', 'inspect', '--format', '{{.Id}}', image]);
    if (code === 0) return undefined;
    return /no such image|not known|no such object/i.test(stderr)
      ? `${engine.kind} has no image ${image}; get it with \`${engine.kind} pull ${image}\`, or build it`
      : `${engine.kind} does not answer (${stderr})`;
  } catch (error) {
    return `${engine.kind} does not answer (${messageOf(error)})`;
  }
}

function walls(host: ContainerHost, enforces: readonly ResourceName[]): Walls {
  const description = describe(host.engine, enforces);
  return {
    ...description,
    boundsNetwork: true,
    holds: ['ends', 'processes', 'files', 'secrets', 'siblings', 'network', 'kernel', 'samePath'],
    enforces,
    enclose: (enclosure) => containerSandbox(host, description, enclosure),
    namespaceOf: (_launcher, report) => (isContainerNamespace(report) ? report : undefined),
  };
}

function describe(engine: Engine, enforces: readonly ResourceName[]): SandboxDescription {
  const unheld = [...HOLDABLE, 'disk' as const].filter((name) => !enforces.includes(name));
  return {
    level: 'container',
    mechanism: engine.name.replaceAll(',', ', '),
    summary: `each program runs in a container of its own and sees its workspace and the image's files. It reaches nothing but what the run may reach.`,
    guarantees: [
      'Everything that a program starts ends with it, and its container is removed.',
      'Programs see the files of the image, their workspace and what is listed, and may write to nothing else.',
      'They have a network of their own, without a way out but those that the run opens.',
      'They have no capabilities, gain none, and may use only the system calls that the engine allows.',
    ],
    warnings: [
      'Tools and agents are those of the image: what is installed on this machine is not seen.',
      'When Switchyard is killed, containers end by a watcher within them, which hostile code can end first; the next start proves that nothing is left.',
      ...(unheld.length === 0 ? [] : [`Programs are not held to limits of: ${unheld.join(', ')}.`]),
    ],
  };
}
