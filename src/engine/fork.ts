import { currentTransition, type FlowState, reenter } from '../blueprint/advance.ts';
import type { Actor } from '../domain/actor.ts';
import { type ForkedFrom, NO_USAGE } from '../domain/run.ts';
import { slugOf } from '../domain/task.ts';
import { SwitchyardError } from '../lib/error.ts';
import type { Queries } from '../store/database.ts';
import { copyEvidence } from '../store/evidence.ts';
import { giveMessages, insertMessage } from '../store/messages.ts';
import type { RunRow, StepRow } from '../store/rows.ts';
import { findRun, freeSlug, getRun, insertRun } from '../store/runs.ts';
import { inheritedSessions, insertSession, type SessionRow, sessionsAfter } from '../store/sessions.ts';
import { copyStep, openStep, stepsOf } from '../store/steps.ts';
import { getTask } from '../store/tasks.ts';
import type { Engine } from './engine.ts';
import { endingOf, flowAfter, flowAt } from './fork-past.ts';
import { isUndone } from './send-resume.ts';
import { enter, type Moved, type OpenRun, openRun, record, writeAndAdmit } from './transition.ts';

/** A step of a run from which another one is to go on. */
export interface ForkPoint {
  readonly step: StepRow;
  /** The run's steps within its blueprint up to and including that one, in order. */
  readonly past: readonly StepRow[];
}

export interface Fork {
  /** Of the new run. */
  readonly id: string;
  readonly from: RunRow;
  readonly point: ForkPoint;
  /** The commit that the work until then is a change of. */
  readonly base: string;
  /** Stands for `default` from here on, in place of the run's own. */
  readonly agent: string | undefined;
  /** Said to the first agent of the fork. */
  readonly prompt: string | undefined;
  readonly actor: Actor;
  readonly notes: readonly string[];
}

/** Finds `NODE#N`, or the latest of a node's steps; without a name the latest that has ended. Refuses with `fork/step`. */
export async function forkPoint(engine: Engine, run: RunRow, name: string | undefined): Promise<ForkPoint> {
  const steps = (await stepsOf(engine.database, run.id)).filter((step) => !step.aside);
  const ended = steps.filter(({ state }) => state === 'ended');
  const isMeant = ({ node, n }: StepRow) => name === undefined || name === node || name === `${node}#${n}`;
  const step = ended.findLast(isMeant);
  if (step === undefined) throw noStep(run, { name, ended });
  return { step, past: steps.slice(0, steps.indexOf(step) + 1) };
}

/**
 * Starts a run that has another one's history up to a step, and goes on from there as the blueprint says; the other one is not touched.
 * With a prompt, the agent that is next is told it; where none is next, the agent of the step itself works on. Doing it again changes
 * nothing. Refuses with `fork/at-end`.
 */
export async function forkRun(engine: Engine, fork: Fork): Promise<RunRow> {
  return engine.database.transaction(async (queries) => {
    const known = await findRun(queries, fork.id);
    if (known !== undefined) return known;
    const way = wayOn(engine, fork);
    await insertFork(engine, queries, { fork, flow: way.moved.state });
    const run = openRun(engine, queries, await getRun(queries, fork.id));
    const { from, actor, notes, base } = fork;
    const { title } = await getTask(queries, from.task);
    const { blueprint } = from;
    record(run, actor, { kind: 'run.started', blueprint: blueprint.name, base, title, forkedFrom: originOf(fork) });
    for (const text of notes) record(run, actor, { kind: 'message', level: 'info', text });
    await copyHistory(run, fork);
    if (fork.prompt !== undefined) await say(run, fork.prompt, actor);
    await enter(run, way.moved, { followUp: way.followUp });
    if (way.followUp) await givePrompt(run);
    await writeAndAdmit(run);
    return getRun(queries, fork.id);
  });
}

interface Way {
  readonly moved: Moved;
  readonly followUp: boolean;
}

function wayOn({ kinds }: Engine, { from, point: { step, past }, prompt }: Fork): Way {
  const { blueprint } = from;
  const flow = flowAfter(from, past, kinds);
  const isAgentic = (kind: string) => {
    const found = kinds.get(kind);
    return found?.mode === 'execute' && found.agentic;
  };
  const again = (node: string, followUp: boolean): Way => ({
    moved: reenter(blueprint, followUp ? flowAt(from, past, kinds) : flow, node, { newRound: followUp }),
    followUp,
  });
  if (isUndone(flow) || endingOf(step, kinds) === 'left') return again(step.node, prompt !== undefined && step.agentic);
  const transition = currentTransition(blueprint, flow);
  const goesOn = transition.kind === 'step';
  if (prompt !== undefined && !(goesOn && isAgentic(transition.node.kind))) {
    // A check that is next is worth nothing to whoever has something else to be done first.
    const last = step.agentic ? step : goesOn ? undefined : past.findLast(({ agentic }) => agentic);
    if (last !== undefined) return again(last.node, true);
  }
  if (transition.kind === 'end') throw atEnd(from, step);
  return { moved: { state: flow, transition }, followUp: false };
}

async function insertFork(
  engine: Engine,
  queries: Queries,
  { fork, flow }: { fork: Fork; flow: FlowState },
): Promise<void> {
  const { id, from, point, base, agent, actor } = fork;
  const { title } = await getTask(queries, from.task);
  await insertRun(queries, {
    id,
    task: from.task,
    slug: await freeSlug(queries, slugOf(title)),
    repository: from.repository,
    state: { kind: 'queued' },
    blueprint: from.blueprint,
    flow,
    settings: { ...from.settings, agent: agent ?? from.settings.agent },
    base_ref: from.base_ref,
    base_commit: base,
    target: from.target,
    head: headOf(point),
    consumed: { wall: 0, turns: 0, usage: NO_USAGE },
    requester: actor.name,
    priority: from.priority,
    forked_from: originOf(fork),
    created_at: new Date(engine.clock.now()),
  });
}

/** Where the work stood after the step. */
export function headOf({ step }: ForkPoint): string {
  if (step.head === null) throw new Error(`step ${step.id} has ended without a head`);
  return step.head;
}

function originOf({ from, point: { step } }: Fork): ForkedFrom {
  return { run: from.id, slug: from.slug, node: step.node, n: step.n };
}

async function copyHistory({ engine, queries, row }: OpenRun, { from, point, agent, actor }: Fork): Promise<void> {
  const since = new Date(engine.clock.now());
  for (const step of point.past)
    await copyStep(queries, step, { id: engine.ids(), run: row.id, requester: actor.name, since });
  await copyEvidence(queries, { from: from.id, to: row.id, until: point.step.ended_at ?? new Date(0) });
  const own = await sessionsAfter(
    queries,
    point.past.map(({ id }) => id),
  );
  const sessions = new Map([
    ...(await inheritedSessions(queries, from.id)).map((session) => [session.node, session] as const),
    ...own.map((session) => [session.node, { ...session, standing: 'inherited' as const }] as const),
  ]);
  for (const session of sessions.values()) {
    const taken: SessionRow =
      agent !== undefined && agent !== session.agent && session.agent === from.settings.agent
        ? { agent, id: session.id, standing: 'handed-over' }
        : session;
    await insertSession(queries, { ...taken, run: row.id, node: session.node, updated_at: since });
  }
}

const promptId = (run: string) => `${run}-prompt`;

async function say(run: OpenRun, text: string, actor: Actor): Promise<void> {
  const { queries, row, engine } = run;
  const id = promptId(row.id);
  const answer = { state: 'queued', text: 'The first agent of the fork is told.' } as const;
  const sent_at = new Date(engine.clock.now());
  await insertMessage(queries, { id, run: row.id, text, actor, urgent: false, answer, sent_at, step: null });
  record(run, actor, { kind: 'message', level: 'info', text, sent: { id, state: 'queued' } });
}

/** A step that was made for the prompt has it. */
async function givePrompt({ queries, row }: OpenRun): Promise<void> {
  const step = await openStep(queries, row.id);
  if (step !== undefined) await giveMessages(queries, [promptId(row.id)], step.id);
}

function noStep(
  { slug }: RunRow,
  { name, ended }: { name: string | undefined; ended: readonly StepRow[] },
): SwitchyardError {
  const names = ended.map(({ node, n }) => `${node}#${n}`);
  return new SwitchyardError({
    code: 'fork/step',
    message:
      name === undefined
        ? `No step of run ${slug} has ended yet.`
        : `Run ${slug} has no step ${JSON.stringify(name)} that has ended.`,
    hint:
      names.length === 0
        ? `Wait for one: \`switchyard logs -f ${slug}\`.`
        : `These have: ${names.slice(-20).join(', ')}.`,
  });
}

function atEnd({ slug }: RunRow, { node, n }: StepRow): SwitchyardError {
  return new SwitchyardError({
    code: 'fork/at-end',
    message: `After ${node} #${n} nothing comes any more in ${slug}.`,
    hint: 'Say what is to be done with --prompt, or fork from an earlier step with --from NODE#N.',
  });
}
