import type { ParsedRequestOf } from '../api/routes.ts';
import type { Acted } from '../api/schemas/act.ts';
import type { Actor } from '../domain/actor.ts';
import { stateVerb } from '../domain/run.ts';
import { cancelRun as cancel } from '../engine/cancel.ts';
import { decide } from '../engine/decide.ts';
import { mergeRun as merge } from '../engine/merge-aside.ts';
import { retryRun as retry } from '../engine/retry.ts';
import { discardRun as discard, restoreRun as restore } from '../engine/trash.ts';
import { SwitchyardError } from '../lib/error.ts';
import { getRepository } from '../store/repositories.ts';
import type { RunRow } from '../store/rows.ts';
import { getRun } from '../store/runs.ts';
import { runToActOn } from './hand-back.ts';
import { heedConfiguration, type OperationContext } from './operations.ts';

const person = (name: string): Actor => ({ kind: 'person', name });

/** A person's word on a parked run. */
export async function decideRun(
  context: OperationContext,
  reference: string,
  request: ParsedRequestOf<'decideRun'>,
): Promise<Acted> {
  const { engine } = context;
  const run = await runToActOn(context, reference);
  await heedConfiguration(context);
  await decide(engine, run.id, {
    choice: request.choice,
    head: request.head,
    note: request.note === undefined ? undefined : engine.redact(request.note),
    actor: person(request.actor),
  });
  return acted(context, run.id);
}

/** A person asks for the merge of a delivered head. */
export async function mergeRun(
  context: OperationContext,
  reference: string,
  request: ParsedRequestOf<'mergeRun'>,
): Promise<Acted> {
  const { engine } = context;
  const run = await runToActOn(context, reference);
  if (request.to !== undefined) await refuseMissingBranch(context, run, request.to);
  const answer = await merge(engine, run.id, { to: request.to, push: request.push, actor: person(request.actor) });
  const { merged } = answer.run;
  return acted(
    context,
    run.id,
    answer.kind === 'already' && merged !== null
      ? `Already merged to ${merged.target} as ${merged.commit.slice(0, 12)}.`
      : answer.kind === 'under-way'
        ? 'It is being merged already; waiting for that.'
        : undefined,
  );
}

/** Has a run go on that is parked, has failed or was cancelled. */
export async function retryRun(
  context: OperationContext,
  reference: string,
  request: ParsedRequestOf<'retryRun'>,
): Promise<Acted> {
  const run = await runToActOn(context, reference);
  await heedConfiguration(context);
  await retry(context.engine, run.id, { from: request.from, actor: person(request.actor) });
  return acted(context, run.id);
}

/** Stops a run; work done so far is kept. */
export async function cancelRun(
  context: OperationContext,
  reference: string,
  request: ParsedRequestOf<'cancelRun'>,
): Promise<Acted> {
  const { engine } = context;
  const run = await runToActOn(context, reference);
  const result = await cancel(engine, run.id, person(request.actor));
  switch (result.kind) {
    case 'over':
      return acted(context, run.id, `The run ${stateVerb(result.state.kind, 'already')}.`);
    case 'stopping':
      return acted(context, run.id, 'Its step is being stopped; what was done so far is kept.');
    case 'cancelled':
      return acted(context, run.id);
  }
}

/** Puts a run that nobody works on into the trash. */
export async function discardRun(
  context: OperationContext,
  reference: string,
  request: ParsedRequestOf<'discardRun'>,
): Promise<Acted> {
  const run = await runToActOn(context, reference);
  await discard(context.engine, run.id, person(request.actor));
  return acted(context, run.id);
}

/** Brings a discarded run back, in the state that it had. */
export async function restoreRun(
  context: OperationContext,
  reference: string,
  request: ParsedRequestOf<'restoreRun'>,
): Promise<Acted> {
  const run = await runToActOn(context, reference);
  await restore(context.engine, run.id, person(request.actor));
  return acted(context, run.id);
}

async function refuseMissingBranch({ engine, host }: OperationContext, run: RunRow, branch: string): Promise<void> {
  const repository = await getRepository(engine.database, run.repository);
  const forge = host.forge(repository, await host.openStore(repository));
  if ((await forge.branch(branch)) !== undefined) return;
  throw new SwitchyardError({
    code: 'merge/no-branch',
    message: `There is no branch ${JSON.stringify(branch)} in ${repository.path}.`,
    hint: 'See `git branch --all`.',
  });
}

async function acted(context: OperationContext, id: string, note?: string): Promise<Acted> {
  const run = await getRun(context.engine.database, id);
  const working = run.state.kind === 'queued' || run.state.kind === 'running';
  return { schema: 1, run: run.id, state: run.state, working, ...(note === undefined ? {} : { note }) };
}
