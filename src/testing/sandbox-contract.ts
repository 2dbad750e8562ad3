import { describe } from 'vitest';
import type { Sandbox, SandboxRemains, Walls } from '../ports/sandbox.ts';
import { enclosedFilesCases } from './sandbox-contract/enclosed-files.ts';
import { enclosedNetworkCases } from './sandbox-contract/enclosed-network.ts';
import { enclosedTerminalCases } from './sandbox-contract/enclosed-terminal.ts';
import { endingCases } from './sandbox-contract/ending.ts';
import { harnessKilledCases } from './sandbox-contract/harness-killed.ts';
import { remainsCases } from './sandbox-contract/remains.ts';
import { runningCases } from './sandbox-contract/running.ts';
import { wallCases } from './sandbox-contract/walls.ts';

export interface SandboxUnderTest {
  readonly title: string;
  readonly make: () => Promise<Sandbox>;
  /**
   * For a sandbox with walls: where `make` can be found by another process, which is then killed, and how a later one clears
   * what it left. Absent at level `none`, which promises neither.
   */
  readonly walls?: { readonly module: string; readonly export: string; readonly remains: SandboxRemains };
  /** For a level that shows programs what an enclosure says, and nothing else; with `walls`. */
  readonly encloses?: Walls;
}

/** Registers, with vitest, the tests that every sandbox passes. Linux only: they look for strays from outside, in /proc. */
export function sandboxContract(subject: SandboxUnderTest): void {
  describe(`${subject.title}: the contract of a sandbox`, () => {
    runningCases(subject.make);
    endingCases(subject.make);
    if (subject.walls === undefined) return;
    wallCases(subject.make);
    remainsCases(subject.make, subject.walls.remains);
    harnessKilledCases(subject.walls);
    if (subject.encloses === undefined) return;
    enclosedFilesCases(subject.encloses);
    enclosedNetworkCases(subject.encloses);
    enclosedTerminalCases(subject.encloses, subject.walls.remains);
  });
}
