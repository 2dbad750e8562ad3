import { join } from 'node:path';
import type { ResourceLimits } from '../../../domain/sandbox.ts';
import { cgroup1Places } from '../../../lib/resources/cgroup1.ts';
import { placeIn } from '../../../lib/resources/cgroup2.ts';
import { readControl } from '../../../lib/resources/control-file.ts';
import type { GroupPlace } from '../../../lib/resources/group-place.ts';
import { readHierarchies } from '../../../lib/resources/hierarchies.ts';
import type { ResourceGroup } from '../../../ports/sandbox/resources.ts';
import type { Breach } from '../../../ports/sandbox.ts';

/** What the engine holds a container to, as the kernel shows it from outside. It is shown no longer than the container lives. */
export class ContainerGroup implements ResourceGroup {
  readonly needsAdmission = false;
  readonly #limits: ResourceLimits;
  readonly #places: readonly GroupPlace[];
  readonly #owned: AsyncDisposable;
  #breach: Breach | undefined;

  /** `owned` is disposed with the group. */
  constructor({ init, limits, owned }: { init: number; limits: ResourceLimits; owned: AsyncDisposable }) {
    this.#limits = limits;
    this.#places = Object.keys(limits).length === 0 ? [] : placesOf(init);
    this.#owned = owned;
  }

  /** Takes in nothing: the engine has. */
  admit(): Promise<void> {
    return Promise.resolve();
  }

  /** To be called before the container's first process ends. */
  look(): void {
    for (const { breaches, parent } of this.#places) {
      for (const limit of ['memory', 'processes'] as const) {
        const max = this.#limits[limit];
        if (max !== undefined) this.#breach ??= breaches[limit]?.(parent, max);
      }
    }
  }

  breach(): Promise<Breach | undefined> {
    this.look();
    return Promise.resolve(this.#breach);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}

/** The control groups of this host that a container's first process is in, by controller; what cannot be seen is left out. */
export function groupsOf(init: number): Readonly<Record<string, string>> {
  const { v1, v2 } = readHierarchies();
  const lines = (readControl(`/proc/${init}`, 'cgroup') ?? '').split('\n').map((line) => line.split(':'));
  const found = ['memory', 'pids', 'cpu'].flatMap((controller) => {
    const root = v1[controller]?.root ?? v2?.root;
    const wanted = v1[controller] === undefined ? '' : controller;
    const path = lines
      .find(([, controllers = '']) => controllers.split(',').includes(wanted))
      ?.slice(2)
      .join(':');
    return root === undefined || path === undefined ? [] : [[controller, join(root, path)] as const];
  });
  return Object.fromEntries(found);
}

function placesOf(init: number): GroupPlace[] {
  const { v1 } = readHierarchies();
  const groups = Object.entries(groupsOf(init));
  const old = groups.filter(([controller]) => v1[controller] !== undefined);
  const places = cgroup1Places({
    v1: Object.fromEntries(old.map(([name, own]) => [name, { root: own, own }])),
    v2: undefined,
  });
  const unified = groups.find(([controller]) => v1[controller] === undefined);
  return unified === undefined ? places : [...places, placeIn(unified[1], ['memory', 'pids'])];
}
