import type { ParsedRequestOf } from '../api/routes.ts';
import type { HandedBack } from '../api/schemas/open.ts';
import type { Opening } from '../domain/opening.ts';
import { decide } from '../engine/decide.ts';
import { handBackRun as giveBack, HANDED_BACK_CODE } from '../engine/hand-back.ts';
import { withdraw } from '../engine/hold.ts';
import { endLeftOpen, isOpen } from '../engine/open-refusal.ts';
import { handedWorkspace } from '../engine/person-workspace.ts';
import { counted } from '../lib/counted.ts';
import { SwitchyardError } from '../lib/error.ts';
import { readCommits } from '../lib/git/commits.ts';
import { changedPaths } from '../lib/git/diff.ts';
import { isAlive } from '../lib/processes.ts';
import { getRepository } from '../store/repositories.ts';
import type { RunRow } from '../store/rows.ts';
import { getRun, resolveRun } from '../store/runs.ts';
import { getTask } from '../store/tasks.ts';
import { identityOf } from './identity.ts';
import type { OperationContext } from './operations.ts';
import { releaseOpening } from './release-opening.ts';

const MOST_NAMED = 20;

/**
 * Takes in what a person has done in an opened workspace, as commits of theirs, and lets the run go on where it was. Without the name of
 * the opening, what still runs there is ended first. Refuses with `run/not-open`, and with `run/open` where something lives that cannot be
 * ended from here.
 */
export async function handBackRun(
  context: OperationContext,
  reference: string,
  request: ParsedRequestOf<'handBackRun'>,
): Promise<HandedBack> {
  const { id } = await resolveRun(context.engine.database, reference);
  return context.hands.run(id, async () => {
    const run = await getRun(context.engine.database, id);
    const { opening } = run;
    if (opening === null || (request.opening !== undefined && request.opening !== opening.id)) {
      if (request.opening === undefined) return goOnWaiting(context, run, request);
      return handedBack(run, { changed: [], commits: 0, notes: ['It was handed back already.'] });
    }
    if (opening.phase === 'asked') {
      await withdraw(context.engine, id, opening.id);
      return handedBack(await getRun(context.engine.database, id), { changed: [], commits: 0, notes: [] });
    }
    // With its walls a program ends for certain; any other goes on, and so may one that is only about to start.
    const canEnd = request.opening !== undefined || opening.program?.namespace !== undefined;
    if (!canEnd && isAlive(opening.client)) throw isOpen(run);
    return takeBack(context, run, { opening, stay: request.stay });
  });
}

/**
 * The run for something else to be done with it: one that somebody has left open, whose command line has died, is handed back first, and
 * stays parked.
 */
export async function runToActOn(context: OperationContext, reference: string): Promise<RunRow> {
  const found = await resolveRun(context.engine.database, reference);
  if (found.opening?.phase !== 'open' || isAlive(found.opening.client)) return found;
  return context.hands.run(found.id, async () => {
    const run = await getRun(context.engine.database, found.id);
    if (run.opening?.phase !== 'open' || isAlive(run.opening.client)) return run;
    await takeBack(context, run, { opening: run.opening, stay: true });
    return getRun(context.engine.database, found.id);
  });
}

async function takeBack(
  context: OperationContext,
  run: RunRow,
  { opening, stay }: { opening: Opening; stay: boolean },
): Promise<HandedBack> {
  const { engine, host } = context;
  await endLeftOpen(host, run);
  const repository = await getRepository(engine.database, run.repository);
  const store = await host.openStore(repository);
  const { workspace } = await handedWorkspace({
    engine,
    host,
    run,
    opening,
    signal: AbortSignal.timeout(LONGEST_OPENING_MS),
  });
  const task = await getTask(engine.database, run.task);
  const { head, notes } = await workspace.collect({
    message: `${task.title} (by hand)`,
    identity: await identityOf(repository.path, opening.by),
    trailers: { 'Switchyard-Run': run.id },
  });
  const [changed, commits] = await Promise.all([
    head === run.head ? [] : changedPaths(store.path, run.head, head),
    head === run.head ? [] : readCommits(store.path, [head, `^${run.head}`]),
  ]);
  const said = [whatChanged(opening, { changed, commits: commits.length, head }), ...notes];
  await releaseOpening(context, opening.id);
  const now = await giveBack(engine, run.id, {
    opening: opening.id,
    head,
    said,
    toAgent: changed.length === 0 ? undefined : toAgent(opening, changed),
    stay,
    actor: { kind: 'person', name: opening.by },
  });
  return handedBack(now, { changed, commits: commits.length, notes: [...notes, ...unchecked(now, changed)] });
}

const LONGEST_OPENING_MS = 10 * 60_000;

function whatChanged(
  { by }: Opening,
  { changed, commits, head }: { changed: readonly string[]; commits: number; head: string },
): string {
  if (commits === 0) return `${by} has handed it back, and has changed nothing.`;
  return `${by} has changed ${counted(changed.length, 'file')} by hand, in ${counted(commits, 'commit')} up to ${head.slice(0, 12)}: ${named(changed)}.`;
}

function toAgent({ by, before }: Opening, changed: readonly string[]): string {
  const wasAtWork = before.kind === 'running' || before.kind === 'queued';
  const stopped = wasAtWork ? 'You were stopped because' : 'Since you last worked,';
  return `${stopped} a person (${by}) took over the working directory. They have handed it back now. They have changed, and it is committed: ${named(changed)}. Look at what they did (git log, git show) before you go on; it is wanted as it is.`;
}

function named(paths: readonly string[]): string {
  const rest = paths.length - MOST_NAMED;
  const some = paths.slice(0, MOST_NAMED).join(', ');
  return rest > 0 ? `${some} and ${counted(rest, 'more file')}` : some;
}

function unchecked({ state, slug }: RunRow, changed: readonly string[]): string[] {
  const isGoingOn = state.kind === 'running' || state.kind === 'queued';
  if (changed.length === 0 || isGoingOn) return [];
  const verify = state.kind === 'parked' ? state.needs.verify : undefined;
  const next = verify === undefined ? '' : ` To check what you changed, with ${verify}: switchyard retry ${slug}`;
  return [`No check has run on this head.${next}`];
}

function handedBack(run: RunRow, facts: Pick<HandedBack, 'changed' | 'commits' | 'notes'>): HandedBack {
  const { id, state, head } = run;
  const working = state.kind === 'queued' || state.kind === 'running';
  return { schema: 1, run: id, state, head, working, ...facts };
}

/** One that was handed back to wait is handed back for good: it goes on where it was. */
async function goOnWaiting(
  { engine }: OperationContext,
  run: RunRow,
  { actor, stay }: ParsedRequestOf<'handBackRun'>,
): Promise<HandedBack> {
  if (run.state.kind !== 'parked' || run.state.reason.code !== HANDED_BACK_CODE) throw notOpen(run);
  const nothing = { changed: [], commits: 0 };
  if (stay) return handedBack(run, { ...nothing, notes: ['It was handed back already, and waits.'] });
  await decide(engine, run.id, { choice: 'retry', actor: { kind: 'person', name: actor } });
  const now = await getRun(engine.database, run.id);
  return handedBack(now, { ...nothing, notes: ['It was handed back already, to wait; it goes on now.'] });
}

function notOpen({ slug }: RunRow): SwitchyardError {
  return new SwitchyardError({
    code: 'run/not-open',
    message: `Nobody has ${slug} open.`,
    hint: `See \`switchyard why ${slug}\`.`,
  });
}
