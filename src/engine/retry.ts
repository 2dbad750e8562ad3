import type { Actor } from '../domain/actor.ts';
import type { RunState } from '../domain/run.ts';
import { between } from '../lib/crash-point.ts';
import { SwitchyardError } from '../lib/error.ts';
import { latestStep, stepsOf } from '../store/steps.ts';
import { insertAside } from './aside.ts';
import { command } from './command.ts';
import { apply } from './decide.ts';
import type { Engine } from './engine.ts';
import { discarded, goOn, goOnAt } from './go-on.ts';
import { type OpenRun, record, writeAndAdmit } from './transition.ts';

export interface Retry {
  /** The path of a node that the run has been in; without it, where the run stopped. */
  readonly from?: string | undefined;
  readonly actor: Actor;
}

/**
 * Has a run go on that is parked, has failed or was cancelled: from where it stopped, or from a node that it has been in. Bounds that
 * are used up get their original amount again. Refuses with `run/working`, `run/discarded`, `run/nothing-to-retry`, `retry/node`.
 */
export async function retryRun(engine: Engine, id: string, { from, actor }: Retry): Promise<RunState> {
  return between(engine.crashPoint, 'decision', async () => {
    const row = await command(engine, id, async (run) => {
      refuse(run);
      if (from === undefined && run.row.state.kind === 'parked') await apply(run, { choice: 'retry', actor });
      else await again(run, { from, actor });
      await writeAndAdmit(run);
    });
    return row.state;
  });
}

async function again(run: OpenRun, { from, actor }: Retry): Promise<void> {
  const { row, queries } = run;
  const steps = (await stepsOf(queries, row.id)).filter((step) => !step.aside);
  const node = from ?? steps.at(-1)?.node ?? row.blueprint.start;
  const entered = steps.map((step) => step.node);
  if (!entered.some((path) => path === node || path.startsWith(`${node}/`))) throw neverEntered(run, node, entered);
  const last = from === undefined ? await latestStep(queries, row.id) : undefined;
  record(run, actor, { kind: 'run.resumed', choice: 'retry', head: row.head, node });
  if (last?.aside !== true) return goOnAt(run, { node, actor });
  await goOn(run, actor);
  await insertAside(run, last.inputs);
}

function refuse({ row }: OpenRun): void {
  const { state, slug } = row;
  switch (state.kind) {
    case 'parked':
    case 'failed':
    case 'cancelled':
      return;
    case 'discarded':
      throw discarded(row);
    case 'succeeded':
      throw new SwitchyardError({
        code: 'run/nothing-to-retry',
        message: `Run ${slug} has succeeded.`,
        hint: `Say what else is to be done with \`switchyard send ${slug} "…"\`, or begin at an earlier step: \`switchyard fork ${slug} --from NODE#N\`.`,
      });
    case 'queued':
    case 'running':
      throw new SwitchyardError({
        code: 'run/working',
        message: `Run ${slug} is ${state.kind}.`,
        hint: `Stop it first with \`switchyard cancel ${slug}\`, or tell its agent something with \`switchyard send ${slug} "…"\`.`,
      });
  }
}

function neverEntered({ row }: OpenRun, node: string, entered: readonly string[]): SwitchyardError {
  return new SwitchyardError({
    code: 'retry/node',
    message: `Run ${row.slug} has not been in a node ${JSON.stringify(node)}.`,
    hint: `It has been in ${[...new Set(entered)].join(', ')}.`,
  });
}
