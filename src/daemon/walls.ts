import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { probeBubblewrapWalls } from '../adapters/sandboxes/bubblewrap/index.ts';
import {
  clearContainers,
  containerRemains,
  isContainerNamespace,
  probeContainerWalls,
} from '../adapters/sandboxes/container/index.ts';
import { probeMacosWalls } from '../adapters/sandboxes/macos/index.ts';
import { noneSandbox, noneWalls } from '../adapters/sandboxes/none/index.ts';
import { pidRemains, probePid } from '../adapters/sandboxes/pid/index.ts';
import type { MachineConfig } from '../config/machine.ts';
import type { SandboxLevel } from '../domain/sandbox.ts';
import { counted } from '../lib/counted.ts';
import { SwitchyardError } from '../lib/error.ts';
import { whichOn } from '../lib/exec/which.ts';
import type { Home } from '../lib/home.ts';
import { homeIdOf } from '../lib/resources/group-name.ts';
import { clearLeftovers } from '../lib/resources/leftovers.ts';
import { probeResources, type ResourceProbe } from '../lib/resources/probe.ts';
import type { SandboxRemains, Walls } from '../ports/sandbox.ts';

/** The walls that this host can make, each tried once when it is first wanted. */
export interface HostWalls {
  /** Rejects with `sandbox/unavailable`, saying what is missing. */
  get(level: SandboxLevel): Promise<Walls>;
  /** The level of a run when nobody names one. */
  strongest(): Promise<SandboxLevel>;
  /** For the harness's own git. */
  forGit(): Promise<Walls>;
  /** What programs can be held to here, and by what. */
  resources(): Promise<ResourceProbe>;
  readonly remains: SandboxRemains;
  /** Ends and removes what dead processes of this home have left of walls; returns what it was, for a log. */
  clearLeft(): Promise<readonly string[]>;
}

export interface WallsParts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: Home;
  readonly machine: Pick<MachineConfig, 'reads' | 'container'>;
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
  const probes: Readonly<Record<SandboxLevel, () => Promise<Probed>>> = {
    none: async () => noneWalls,
    pid: lazily(() => probePid(which)),
    bubblewrap: lazily(() =>
      process.platform === 'darwin'
        ? probeMacosWalls({ which, platform: process.platform, plain: noneSandbox })
        : bubblewrap('bubblewrap'),
    ),
    domains: lazily(() => bubblewrap('domains')),
    container: lazily(() =>
      probeContainerWalls({
        ...engineHost,
        ...machine.container,
        image: machine.container.image,
        folder: home.walls,
        home: home.folder,
      }),
    ),
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
    async get(level) {
      const probed = await probes[level]();
      if ('missing' in probed) throw unavailable(level, probed.missing);
      return probed;
    },
    strongest: async () => (await first(DEFAULTS)).level,
    forGit: () => first(DEFAULTS),
    resources,
    async clearLeft() {
      const groups = await clearLeftovers(homeIdOf(home.folder));
      const left = groups === 0 ? [] : [counted(groups, 'control group')];
      if (machine.container.image === undefined) return left;
      return [...left, ...(await clearContainers(engineHost, { home: home.folder, folder: home.walls }))];
    },
    remains: {
      clear: (namespace) => (isContainerNamespace(namespace) ? inContainers : pidRemains).clear(namespace),
    },
  };
}

/** What a run gets when nobody names a level, best first; the others are only for whoever asks for them. */
const DEFAULTS: readonly SandboxLevel[] = ['bubblewrap', 'pid'];

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
