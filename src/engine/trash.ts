import type { Actor } from '../domain/actor.ts';
import { between } from '../lib/crash-point.ts';
import { SwitchyardError } from '../lib/error.ts';
import type { Queries } from '../store/database.ts';
import { putOut } from '../store/outbox.ts';
import { lockRun } from '../store/runs.ts';
import { openStep, updateStep } from '../store/steps.ts';
import type { Engine } from './engine.ts';
import { discard, openRun, record, setState, write } from './transition.ts';

/** Discards a run that nobody works on. Doing it again changes nothing. Refuses with `run/working`. */
export async function discardRun(engine: Engine, id: string, actor: Actor): Promise<void> {
  await between(engine.crashPoint, 'decision', () =>
    engine.database.transaction(async (queries) => {
      const row = await lockRun(queries, id);
      if (row.state.kind === 'discarded') return;
      if (row.state.kind === 'running' || row.state.kind === 'queued') {
        throw new SwitchyardError({ code: 'run/working', message: `Run ${row.slug} is ${row.state.kind}.`, hint: `Cancel it first: \`switchyard cancel ${row.slug}\`.` });
      }
      const run = openRun(engine, queries, row);
      await discard(run, actor);
      await write(run);
    }),
  );
}

/** Brings a discarded run back in the state that it had; one that was abandoned at an approval waits there again. */
export async function restoreRun(engine: Engine, id: string, actor: Actor): Promise<void> {
  await between(engine.crashPoint, 'decision', () =>
    engine.database.transaction(async (queries) => {
      const row = await lockRun(queries, id);
      if (row.state.kind !== 'discarded' || row.state_before === null) {
        throw new SwitchyardError({ code: 'run/not-discarded', message: `Run ${row.slug} is ${row.state.kind}, not discarded.`, hint: 'Only a discarded run can be restored.' });
      }
      const run = openRun(engine, queries, row);
      const before = row.state_before;
      const at = new Date(engine.clock.now());
      setState(run, before);
      run.changes.state_before = null;
      if (before.kind === 'parked') {
        run.changes.ended_at = null;
        await reopen(queries, id);
        record(run, actor, { kind: 'run.resumed', choice: 'restore', head: row.head });
        record(run, actor, { kind: 'run.parked', reason: before.reason, needs: before.needs, node: null });
      } else {
        record(run, actor, { kind: 'message', level: 'info', text: `The run was restored; it is ${before.kind} again.` });
      }
      await putOut(queries, { id: `restore-${id}-${at.getTime()}`, run: id, kind: 'restore', worker: null, at });
      await write(run);
    }),
  );

  /** The approval that was answered with `abandoned` is open again. */
  async function reopen(queries: Queries, run: string): Promise<void> {
    if ((await openStep(queries, run)) !== undefined) return;
    const [last] = await queries.query<{ id: string; kind: string; outcome: string }>(
      'select id, kind, outcome from step where run = $1 order by created_at desc limit 1',
      [run],
    );
    if (last?.outcome !== 'abandoned') return;
    await updateStep(queries, last.id, { state: 'running', outcome: null, ended_at: null });
  }
}
