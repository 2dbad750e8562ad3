import type { SandboxDescription, Walls } from '../../../ports/sandbox.ts';
import { containerSandbox } from './container-sandbox.ts';
import { type ContainerWallsParts, type Probed, probeContainers } from './probe.ts';
import { isContainerNamespace } from './remains.ts';
import { HOLDABLE } from './trial.ts';

export { containerImages } from './images.ts';
export type { ContainerWallsParts } from './probe.ts';
export { clearContainers, containerRemains, isContainerNamespace, leftContainers } from './remains.ts';

/** The level `container` as far as this host has it; otherwise what is missing, as half a sentence for a person. */
export async function probeContainerWalls(parts: ContainerWallsParts): Promise<Walls | { readonly missing: string }> {
  const probed = await probeContainers(parts);
  return 'missing' in probed ? probed : walls(probed);
}

function walls(probed: Probed): Walls {
  const { host, enforces } = probed;
  const description = describe(probed);
  return {
    ...description,
    boundsNetwork: true,
    hasOwnPrograms: true,
    holds: ['ends', 'processes', 'files', 'secrets', 'siblings', 'network', 'kernel', 'samePath'],
    enforces,
    enclose: (enclosure) => containerSandbox(host, description, enclosure),
    namespaceOf: (_launcher, report) => (isContainerNamespace(report) ? report : undefined),
  };
}

function describe({ host: { engine }, enforces, image }: Probed): SandboxDescription {
  const unheld = [...HOLDABLE, 'disk' as const].filter((name) => !enforces.includes(name));
  return {
    level: 'container',
    mechanism: `${engine.name.replaceAll(',', ', ')}; image ${image}`,
    summary: `each program runs in a container of its own and sees its workspace and the image's files. It reaches nothing but what the run may reach.`,
    guarantees: [
      'Everything that a program starts ends with it, and its container is removed.',
      'Programs see the files of the image, their workspace and what is listed, and may write to nothing else.',
      'They have a network of their own, without a way out but those that the run opens.',
      'They have no capabilities, gain none, and may use only the system calls that the engine allows.',
    ],
    warnings: [
      'Tools are those of the image; of what is installed on this machine, only what `reads` and the commands of agents name is seen.',
      'When Switchyard is killed, containers end by a watcher within them, which hostile code can end first; the next start proves that nothing is left.',
      ...(unheld.length === 0 ? [] : [`Programs are not held to limits of: ${unheld.join(', ')}.`]),
    ],
  };
}
