import { noneSandbox } from '../adapters/sandboxes/none/index.ts';
import type { Sandbox, SandboxProgram } from '../ports/sandbox.ts';

/** A sandbox without walls that remembers what was started in it, so that a test can tell what ran inside and what did not. */
export interface PlainSandbox extends Sandbox {
  readonly started: readonly SandboxProgram[];
}

export function plainSandbox(): PlainSandbox {
  const started: SandboxProgram[] = [];
  return {
    ...noneSandbox,
    started,
    spawn(program) {
      started.push(program);
      return noneSandbox.spawn(program);
    },
  };
}
