import type { CrashPoint } from '../../../lib/crash-point.ts';
import type { Forge } from '../../../ports/forge.ts';

export interface LocalForgeOptions {
  /** Any path in the person's repository, which may be bare. */
  readonly repository: string;
  /** The git store that has the objects (`GitStore.path`). */
  readonly mirror: string;
  readonly crashPoint: CrashPoint;
}

/** The person's own repository as a forge: branches in it, merges by moving its branches and checkouts. */
export function createLocalForge(_options: LocalForgeOptions): Forge {
  return { kind: 'local' } as Forge;
}
