import { noneWalls } from '../adapters/sandboxes/none/index.ts';
import { probePid } from '../adapters/sandboxes/pid/index.ts';
import type { SandboxLevel } from '../domain/sandbox.ts';
import { SwitchyardError } from '../lib/error.ts';
import { whichOn } from '../lib/exec/which.ts';
import type { Walls } from '../ports/sandbox.ts';

/** The walls that this host can make, each tried once when it is first wanted. */
export interface HostWalls {
  /** Rejects with `sandbox/unavailable`, saying what is missing. */
  get(level: SandboxLevel): Promise<Walls>;
  /** The level of a run when nobody names one. */
  strongest(): Promise<SandboxLevel>;
  /** For the harness's own git. */
  forGit(): Promise<Walls>;
}

type Probed = Walls | { readonly missing: string };

export function wallsOf(env: Readonly<Record<string, string | undefined>>): HostWalls {
  const which = whichOn(env['PATH']);
  const probes: Readonly<Partial<Record<SandboxLevel, () => Promise<Probed>>>> = {
    none: async () => noneWalls,
    pid: lazily(() => probePid(which)),
  };
  const probe = async (level: SandboxLevel): Promise<Probed> =>
    (await probes[level]?.()) ?? { missing: 'this system has no such walls' };
  const first = async (levels: readonly SandboxLevel[]): Promise<Walls> => {
    for (const level of levels) {
      const probed = await probe(level);
      if (!('missing' in probed)) return probed;
    }
    return noneWalls;
  };
  return {
    async get(level) {
      const probed = await probe(level);
      if ('missing' in probed) throw unavailable(level, probed.missing);
      return probed;
    },
    strongest: async () => (await first(DEFAULTS)).level,
    forGit: () => first(DEFAULTS),
  };
}

/** What a run gets when nobody names a level, best first; the others are only for whoever asks for them. */
const DEFAULTS: readonly SandboxLevel[] = ['pid'];

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
