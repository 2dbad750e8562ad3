import type { Actor } from '../domain/actor.ts';
import { stateVerb } from '../domain/run.ts';
import { between } from '../lib/crash-point.ts';
import { SwitchyardError } from '../lib/error.ts';
import { putOut } from '../store/outbox.ts';
import { latestStep, updateStep } from '../store/steps.ts';
import { command } from './command.ts';
import type { Engine } from './engine.ts';
import { discard, type OpenRun, record, setState, writeAndAdmit } from './transition.ts';

/** Discards a run that nobody works on. Doing it again changes nothing. Refuses with `run/working`. */
export async function discardRun(engine: Engine, id: string, actor: Actor): Promise<void> {
  await between(engine.crashPoint, 'decision', () =>
    command(engine, id, async (run) => {
      const { state, slug } = run.row;
      if (state.kind === 'discarded') return;
      if (state.kind === 'running' || state.kind === 'queued') {
        throw new SwitchyardError({
          code: 'run/working',
          message: `Run ${slug} is ${state.kind}.`,
          hint: `Cancel it first: \`switchyard cancel ${slug}\`.`,
        });
      }
      await discard(run, actor);
      await writeAndAdmit(run);
    }),
  );
}

/** Brings a discarded run back in the state that it had; one that was abandoned at an approval waits there again. */
export async function restoreRun(engine: Engine, id: string, actor: Actor): Promise<void> {
  await between(engine.crashPoint, 'decision', () =>
    command(engine, id, async (run) => {
      await restore(run, actor);
      await writeAndAdmit(run);
    }),
  );
}

async function restore(run: OpenRun, actor: Actor): Promise<void> {
  const { row, queries, engine } = run;
  const { state, state_before: before, slug, id, head } = row;
  if (state.kind === 'discarded' && before === null) {
    throw new SwitchyardError({
      code: 'run/gone',
      message: `The commits of ${slug} are gone: it was in the trash for longer than retention.trash allows.`,
      hint: `Its journal is still there: \`switchyard logs ${slug}\`.`,
    });
  }
  if (state.kind !== 'discarded' || before === null) {
    throw new SwitchyardError({
      code: 'run/not-discarded',
      message: `Run ${slug} ${stateVerb(state.kind)}: it is not in the trash.`,
      hint: 'Only a discarded run can be restored.',
    });
  }
  setState(run, before);
  run.changes.state_before = null;
  if (before.kind === 'parked') {
    run.changes.ended_at = null;
    await reopen(run);
    record(run, actor, { kind: 'run.resumed', choice: 'restore', head });
    record(run, actor, { kind: 'run.parked', reason: before.reason, needs: before.needs, node: null });
  } else {
    const text = `The run was restored; it is ${before.kind} again.`;
    record(run, actor, { kind: 'message', level: 'info', text });
  }
  const at = new Date(engine.clock.now());
  await putOut(queries, { id: `restore-${engine.ids()}`, run: id, kind: 'restore', worker: null, at });
}

/** The approval that was answered with `abandoned` is open again. */
async function reopen({ row, queries }: OpenRun): Promise<void> {
  const last = await latestStep(queries, row.id);
  if (last?.state !== 'ended' || last.outcome !== 'abandoned') return;
  await updateStep(queries, last.id, { state: 'running', outcome: null, outputs: null, head: null, ended_at: null });
}
