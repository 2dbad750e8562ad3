import type { Opening } from '../domain/opening.ts';
import { handBackRun } from '../engine/hand-back.ts';
import { isUnheard, withdraw } from '../engine/hold.ts';
import { endLeftOpen } from '../engine/open-refusal.ts';
import { isAlive } from '../lib/processes.ts';
import { openedWith } from '../store/openings.ts';
import type { RunRow } from '../store/rows.ts';
import { getRun } from '../store/runs.ts';
import type { OperationContext } from './operations.ts';
import { releaseOpening } from './release-opening.ts';

/**
 * Lets the runs go on that somebody has asked for, or has got, and whose command line died before anything was started in the workspace.
 * One where a person has worked stays parked until the next command on it. Rejects with what could not be handed back, after the others.
 */
export async function handBackDead(context: OperationContext): Promise<void> {
  const { engine, host, hands } = context;
  const now = engine.clock.now();
  const opened = await openedWith(engine.database, host.worker);
  // Whoever is busy with one looks at its command line himself.
  const dead = opened.filter(({ id, opening }) => isDead(opening, now) && !hands.isBusy(id));
  const done = await Promise.allSettled(dead.map(({ id }) => hands.run(id, () => handBack(context, id))));
  const failures: unknown[] = done.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  if (failures.length > 0) throw new AggregateError(failures, 'runs that somebody has left open');
}

function isDead(opening: Opening | null, now: number): boolean {
  return opening !== null && !opening.used && (isUnheard(opening, now) || !isAlive(opening.client));
}

/** Whoever has dealt with it since the look may have changed everything. */
async function handBack(context: OperationContext, id: string): Promise<void> {
  const { engine, host } = context;
  const run = await getRun(engine.database, id);
  if (run.opening === null || !isDead(run.opening, engine.clock.now())) return;
  if (run.opening.phase === 'asked') return withdraw(engine, id, run.opening.id);
  await endLeftOpen(host, run);
  await giveBackUnused(context, run);
}

/** It could not be made ready, or nobody was there to have it: it goes on as it was. */
export async function giveBackUnused(context: OperationContext, { id }: Pick<RunRow, 'id'>): Promise<void> {
  const { engine } = context;
  const { opening, head } = await getRun(engine.database, id);
  if (opening === null) return;
  await releaseOpening(context, opening.id);
  await handBackRun(engine, id, {
    opening: opening.id,
    head,
    said: [`${opening.by} could not open it.`],
    toAgent: undefined,
    stay: false,
    actor: { kind: 'person', name: opening.by },
  });
}
