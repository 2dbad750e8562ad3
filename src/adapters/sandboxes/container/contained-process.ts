import { endsWithin } from '../../../lib/exec/ends-within.ts';
import type { StartedProcess } from '../../../lib/exec/start.ts';
import { isAlive, type ProcessIdentity, sendSignal } from '../../../lib/processes.ts';
import { firstChildOf } from '../../../ports/sandbox/program-below.ts';
import type { ResourceGroup } from '../../../ports/sandbox/resources.ts';
import { WalledProcess } from '../../../ports/sandbox/walled-process.ts';

/**
 * A program in a container. Its number within is not known, since engines use up some before the first process runs: it is the first
 * process that the container's first one has started.
 */
export class ContainedProcess extends WalledProcess {
  readonly #engine: StartedProcess;
  readonly #first: ProcessIdentity;

  constructor(engine: StartedProcess, walled: { init: ProcessIdentity; namespace: string; group: ResourceGroup }) {
    // An engine's program reports nothing of its own: that the container stands is known before.
    super(engine, { ...walled, reports: Promise.resolve('') });
    this.#engine = engine;
    this.#first = walled.init;
  }

  override async stop(graceMs: number): Promise<void> {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      if (graceMs <= 0 || !isAlive(this.#first)) break;
      const program = firstChildOf(this.#first.pid);
      if (program !== undefined) sendSignal(program, signal);
      await endsWithin(this.#engine.ended, graceMs);
    }
    await super.stop(0);
  }
}
