import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { probeBubblewrapWalls } from '../adapters/sandboxes/bubblewrap/index.ts';
import {
  type ContainerWallsParts,
  clearContainers,
  containerImages,
  containerRemains,
  isContainerNamespace,
  probeContainerWalls,
} from '../adapters/sandboxes/container/index.ts';
import { probeMacosWalls } from '../adapters/sandboxes/macos/index.ts';
import { noneSandbox, noneWalls } from '../adapters/sandboxes/none/index.ts';
import { pidRemains, probePid } from '../adapters/sandboxes/pid/index.ts';
import type { MachineConfig } from '../config/machine.ts';
import type { SandboxLevel } from '../domain/sandbox.ts';
import type { RunContainer } from '../domain/settings.ts';
import { counted } from '../lib/counted.ts';
import { SwitchyardError } from '../lib/error.ts';
import { whichOn } from '../lib/exec/which.ts';
import type { Home } from '../lib/home.ts';
import { homeIdOf } from '../lib/resources/group-name.ts';
import { clearLeftovers } from '../lib/resources/leftovers.ts';
import { probeResources, type ResourceProbe } from '../lib/resources/probe.ts';
import type { ContainerImages } from '../ports/sandbox/container-images.ts';
import type { SandboxRemains, Walls } from '../ports/sandbox.ts';

/** The walls that this host can make, each tried once when it is first wanted. */
export interface HostWalls {
  /** Rejects with `sandbox/unavailable`, saying what is missing. A container is the run's own, else the machine's. */
  get(level: SandboxLevel, container?: RunContainer): Promise<Walls>;
  /** The level of a run when nobody names one. */
  strongest(): Promise<SandboxLevel>;
  /** For the harness's own git. */
  forGit(): Promise<Walls>;
  /** What programs can be held to here, and by what. */
  resources(): Promise<ResourceProbe>;
  readonly remains: SandboxRemains;
  readonly images: ContainerImages;
  /** Ends and removes what dead processes of this home have left of walls; returns what it was, for a log. */
  clearLeft(): Promise<readonly string[]>;
}

export interface WallsParts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: Home;
  readonly machine: Pick<MachineConfig, 'reads'> & { readonly container: Partial<MachineConfig['container']> };
}

type Probed = Walls | { readonly missing: string };

export function wallsOf({ env, home, machine }: WallsParts): HostWalls {
  const which = whichOn(env['PATH']);
  const resources = lazily(() => probeResources({ homeId: homeIdOf(home.folder) }));
  const bubblewrap = async (level: 'bubblewrap' | 'domains') =>
    probeBubblewrapWalls(which, {
      level,
      reads: machine.reads,
      never: [home.folder],
      // `doctor` may look before there is a home.
      ...(existsSync(home.walls) ? { scratch: join(home.walls, 'w-') } : {}),
      resources: (await resources()).control,
      ...(env['HOME'] === undefined ? {} : { home: env['HOME'] }),
    });
  const engineHost = { which, env };
  const { engine } = machine.container;
  const places = { ...engineHost, ...(engine === undefined ? {} : { engine }), folder: home.walls, home: home.folder };
  const containers = (container: Pick<ContainerWallsParts, 'image' | 'imageName' | 'variables'>) =>
    probeContainerWalls({ ...places, ...container, reads: machine.reads });
  const probes: Readonly<Record<SandboxLevel, () => Promise<Probed>>> = {
    none: async () => noneWalls,
    pid: lazily(() => probePid(which)),
    bubblewrap: lazily(() =>
      process.platform === 'darwin'
        ? probeMacosWalls({ which, platform: process.platform, plain: noneSandbox })
        : bubblewrap('bubblewrap'),
    ),
    domains: lazily(() => bubblewrap('domains')),
    container: lazily(() => containers({ image: machine.container.image })),
  };
  const own = new Map<string, () => Promise<Probed>>();
  const ownContainer = (container: RunContainer) => {
    const key = JSON.stringify(container);
    const { image, name: imageName, variables } = container;
    const probe = own.get(key) ?? lazily(() => containers({ image, imageName, variables }));
    own.set(key, probe);
    return probe();
  };
  const first = async (levels: readonly SandboxLevel[]): Promise<Walls> => {
    for (const level of levels) {
      const probed = await probes[level]();
      if (!('missing' in probed)) return probed;
    }
    return noneWalls;
  };
  const inContainers = containerRemains(engineHost);
  return {
    async get(level, container) {
      const isOwn = level === 'container' && container !== undefined;
      const probed = await (isOwn ? ownContainer(container) : probes[level]());
      if ('missing' in probed) throw unavailable(level, probed.missing);
      return probed;
    },
    strongest: async () => (await first(DEFAULTS)).level,
    forGit: () => first(DEFAULTS),
    resources,
    images: containerImages(places),
    async clearLeft() {
      const groups = await clearLeftovers(homeIdOf(home.folder));
      const left = groups === 0 ? [] : [counted(groups, 'control group')];
      const { image, devcontainer } = machine.container;
      if (image === undefined && !choosesImages(devcontainer)) return left;
      return [...left, ...(await clearContainers(engineHost, { home: home.folder, folder: home.walls }))];
    },
    remains: {
      clear: (namespace) => (isContainerNamespace(namespace) ? inContainers : pidRemains).clear(namespace),
    },
  };
}

/** What a run gets when nobody names a level, best first; the others are only for whoever asks for them. */
const DEFAULTS: readonly SandboxLevel[] = ['bubblewrap', 'pid'];

/** Whether a repository's `.devcontainer` may say what programs run in. */
function choosesImages(devcontainer: MachineConfig['container']['devcontainer'] | undefined): boolean {
  return devcontainer !== undefined && (devcontainer.images.length > 0 || devcontainer.build !== 'never');
}

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

function unavailable(level: SandboxLevel, why: string): SwitchyardError {
  return new SwitchyardError({
    code: 'sandbox/unavailable',
    message: `This host cannot give the sandbox level ${level}: ${why}.`,
    hint: 'See `switchyard doctor`; another level can be asked for with --sandbox.',
  });
}
