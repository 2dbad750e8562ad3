import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../lib/clock.ts';
import { againAndAgain } from './again-and-again.ts';

const EVERY_MS = 10_000;
/** Processor time in milliseconds, of so long: more is work, and less than that since the last time leaves nothing to be given back. */
const IDLE_MS = 200;
const WORKED_MS = 1_000;

/**
 * Gives memory back that work has left behind, once there is no work: V8 keeps what its heap once grew to as long as nothing is allocated,
 * and a daemon may wait for days. A pass takes less than a tenth of a second, in which nobody waits.
 */
export function giveBackHeap(clock: Clock): AsyncDisposable {
  const collect = fullCollection();
  let last = cpuMs();
  let worked = 0;
  return againAndAgain({ clock, firstMs: EVERY_MS, everyMs: EVERY_MS }, async () => {
    const now = cpuMs();
    const used = now - last;
    last = now;
    worked += used;
    if (used > IDLE_MS || worked < WORKED_MS) return;
    collect();
    worked = 0;
    last = cpuMs();
  });
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

type Collect = (how: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

/** V8 has it for those who ask by a flag; a context that is made after that has it by name. */
function fullCollection(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
