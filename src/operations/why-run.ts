import type { Why } from '../api/schemas/run.ts';
import { isEnded, type RunState, stateVerb } from '../domain/run.ts';
import { formatCount, formatDollars, formatDuration } from '../domain/units.ts';
import { limitsOf } from '../engine/limits.ts';
import { type Place, placeOf } from '../engine/place-of.ts';
import { type Waiting, whyWaiting } from '../engine/waiting.ts';
import { counted } from '../lib/counted.ts';
import { attemptAtWork, attemptsOf } from '../store/attempts.ts';
import { messagesOf } from '../store/messages.ts';
import type { MessageRow, RunRow, StepRow } from '../store/rows.ts';
import { resolveRun } from '../store/runs.ts';
import { latestStep, openStep } from '../store/steps.ts';
import { liveWorkers } from '../store/workers.ts';
import { lastWarning } from './last-warning.ts';
import type { OperationContext } from './operations.ts';
import { consumedUntil } from './views.ts';

type Context = Pick<OperationContext, 'engine'>;

/** Where the run is, why it waits, and what it needs, in words. */
export async function whyRun(context: Context, reference: string): Promise<Why> {
  const { database } = context.engine;
  const run = await resolveRun(database, reference);
  const waits = await waitsOf(context, run);
  const lines = [
    `${run.slug} (${run.id}) ${stateVerb(run.state.kind)}.`,
    ...(await reasons(context, run, waits)),
    ...(await untold(context, run)),
  ];
  return {
    schema: 1,
    run: run.id,
    state: run.state,
    lines,
    ...(waits === undefined ? {} : { waits }),
    ...(run.state.kind === 'parked' ? { needs: run.state.needs } : {}),
  };
}

/** What persons have said that no agent has been told yet. */
async function untold({ engine }: Context, { id, state }: RunRow): Promise<string[]> {
  const messages = await messagesOf(engine.database, id);
  const waiting = messages.filter((message) => message.delivered_at === null);
  if (waiting.length === 0) return [];
  const names = (rows: readonly MessageRow[]) => [...new Set(rows.map(({ actor }) => actor.name))].join(', ');
  const byHand = isEnded(state.kind) ? [] : waiting.filter(({ quiet }) => quiet);
  const sent = waiting.filter(({ quiet }) => !quiet);
  const count = sent.length;
  return [
    ...(byHand.length === 0 ? [] : [`Its agent will be told what ${names(byHand)} has changed by hand.`]),
    ...(count === 0
      ? []
      : [`${counted(count, 'message')} from ${names(sent)} ${count === 1 ? 'waits' : 'wait'} for its agent.`]),
  ];
}

/** Why the step that the run is in is not being worked on; undefined when it is, or the run is in none. */
async function waitsOf({ engine }: Context, { id, state, cancelling }: RunRow): Promise<Waiting | undefined> {
  if ((state.kind !== 'queued' && state.kind !== 'running') || cancelling) return undefined;
  const step = await openStep(engine.database, id);
  return step === undefined ? undefined : whyWaiting(engine, step);
}

async function reasons(context: Context, run: RunRow, waits: Waiting | undefined): Promise<string[]> {
  const { database } = context.engine;
  switch (run.state.kind) {
    case 'parked':
      return parkedReasons(run, run.state, placeOf(run, await latestStep(database, run.id)));
    case 'queued':
    case 'running': {
      const step = await openStep(database, run.id);
      const now = step === undefined ? ['It is between two steps.'] : await stepReasons(context, run, { step, waits });
      const consumed = consumedUntil(context.engine.clock.now(), run, await attemptAtWork(database, run.id));
      return [...now, ...openedBy(run), usedOf({ ...run, consumed })];
    }
    case 'failed':
      return [run.state.reason.message, ...(await lastWord(context, run)), workOf(run)];
    case 'succeeded':
      return succeededReasons(run);
    case 'cancelled':
      return ['A person stopped it.', ...(await lastWord(context, run)), workOf(run)];
    case 'discarded':
      return [
        run.state.reason?.message ??
          'It was put away: by a person, or because its blueprint or an answer abandoned it.',
        run.state_before === null
          ? 'It was in the trash for longer than retention.trash allows: its commits are gone, and it cannot be brought back.'
          : 'Nothing is lost: its commits lie in the trash of the git store, and can be brought back.',
      ];
  }
}

type Parked = Extract<RunState, { kind: 'parked' }>;

function parkedReasons(run: RunRow, { reason, needs }: Parked, place: Place | undefined): string[] {
  const at = place === undefined ? [] : [`It waits at ${nameOf(place)}.`];
  if (run.opening !== null) return [...at, ...openedBy(run)];
  const why = needs.kind === 'approval' ? [] : [`${reason.message} (${reason.code})`];
  const files = needs.files === undefined || needs.files.length === 0 ? [] : [`Files: ${needs.files.join(', ')}`];
  return [...at, ...why, ...files, neededFor(run, { reason, needs })];
}

function neededFor({ slug }: RunRow, { reason, needs }: Pick<Parked, 'reason' | 'needs'>): string {
  if (needs.verify !== undefined)
    return `A person has changed files by hand since: a retry begins with ${needs.verify}, which checks them.`;
  if (needs.until !== undefined)
    return `It needs nothing: it goes on by itself at ${needs.until.slice(0, 19).replace('T', ' ')} UTC. A retry has it try before.`;
  if (reason.code === 'open/waits') return 'It needs a retry, or a message to its agent, to go on.';
  if (reason.code === 'outcome/unchanged') return 'It needs its agent to be told more (`switchyard send`), or a retry.';
  if (needs.kind === 'approval' && (needs.ask ?? '') === '')
    return 'It needs your word on what it changed: approve it, and it goes on, or say what should be different.';
  return neededAtDelivery(slug, reason.code) ?? NEEDED[needs.kind];
}

/** What helps where a delivery got stuck is told by what it got stuck on. */
function neededAtDelivery(slug: string, code: string): string | undefined {
  switch (code) {
    case 'deliver/branch-moved':
      return `It needs its branch out of the way, or none at all: rename or delete it, then retry; or \`switchyard checkout ${slug} --branch NAME\` gives you its work on another.`;
    case 'merge/red-checks':
      return `It needs the files mended, or the check: tell its agent (\`switchyard send ${slug} "…"\`), or mend them by hand (\`switchyard open ${slug}\`). A retry runs the checks again.`;
    case 'merge/checkout-dirty':
      return 'It needs nothing in the way of the merge in that checkout: see to that, then retry.';
    case 'merge/target-busy':
      return 'It needs a moment in which nobody moves its target: a retry looks at the target again.';
    default:
      return undefined;
  }
}

const NEEDED: Readonly<Record<Parked['needs']['kind'], string>> = {
  approval: 'It needs your answer to what it asks.',
  limit: 'It needs your leave to go on: a retry gives this bound its original amount again.',
  conflict: 'It needs somebody to bring both sides together; a retry looks at the target again.',
  checkout: 'It needs these files out of the way: commit or move them, then retry.',
  error: 'It needs the cause mended, then a retry.',
};

function openedBy({ opening }: RunRow): string[] {
  if (opening === null) return [];
  return [
    opening.phase === 'open'
      ? `${opening.by} has it open by hand (${opening.tool}); it goes on when it is handed back.`
      : `${opening.by} has asked for it by hand (${opening.tool}); its step is being stopped.`,
  ];
}

async function stepReasons(
  context: Context,
  run: RunRow,
  { step, waits }: { step: StepRow; waits: Waiting | undefined },
): Promise<string[]> {
  if (run.cancelling) return [`${nameOf(step)} is being stopped: the run was cancelled.`];
  if (waits === undefined) return [await workReason(context, step), ...(await lastHeard(context, step))];
  const workers = waits.kind === 'worker' ? await liveWorkers(context.engine.database) : [];
  const none = waits.kind === 'worker' && workers.length === 0 ? [NO_WORKER] : [];
  return [`${nameOf(step)} is not at work yet. ${waits.text}`, ...none];
}

const NO_WORKER = 'No worker is at work now: `switchyard worker` starts one.';

async function workReason({ engine }: Context, step: StepRow): Promise<string> {
  const attempts = await attemptsOf(engine.database, step.id);
  const latest = attempts.at(-1);
  const before = attempts.length - 1;
  const earlier =
    before > 0 ? `, after ${counted(before, 'attempt')} that ${before === 1 ? 'was' : 'were'} interrupted` : '';
  const since = step.started_at === null ? '' : ` for ${span(engine.clock.now() - step.started_at.getTime())}`;
  const agent = latest?.agent == null ? '' : ` by the agent ${latest.agent}`;
  const seen =
    latest === undefined ? '' : ` Its worker was heard of ${span(engine.clock.now() - latest.seen_at.getTime())} ago.`;
  return `${nameOf(step)} is being worked on${agent}${since}${earlier}.${seen}`;
}

/** A warning with which the step stands still: for what, and for how long. An agent that waits to try again is at work, and gets no further. */
async function lastHeard({ engine }: Context, step: StepRow): Promise<string[]> {
  const last = await lastWarning(engine, step);
  return last === undefined
    ? []
    : [`The last that came of it, ${span(engine.clock.now() - last.at)} ago: ${last.text}`];
}

/** What is used of each bound that ends the work. */
function usedOf(run: RunRow): string {
  const limits = limitsOf(run);
  const { wall, turns, usage } = run.consumed;
  const tokens = usage.input + usage.output;
  return `Used so far: ${[
    `${span(wall)} of ${formatDuration(limits.wall)}`,
    `${turns} of ${counted(limits.turns, 'turn')}`,
    tokens === 0 && limits.tokens === undefined
      ? undefined
      : `${formatCount(tokens)}${limits.tokens === undefined ? '' : ` of ${formatCount(limits.tokens)}`} tokens`,
    usage.cost === null
      ? undefined
      : `${usage.cost.toFixed(2)} USD${limits.cost === undefined ? '' : ` of ${formatDollars(limits.cost)}`}`,
  ]
    .filter((part) => part !== undefined)
    .join(', ')}.`;
}

function succeededReasons(run: RunRow): string[] {
  if (run.merged !== null)
    return [`It was merged to ${run.merged.target} as ${run.merged.commit.slice(0, 12)}. Nothing is left to do.`];
  if (run.head === run.base_commit)
    return [`It ended in ${run.state.kind === 'succeeded' ? run.state.end : ''}, and has changed nothing.`];
  const end = run.state.kind === 'succeeded' ? run.state.end : '';
  return run.delivered === null
    ? [`It ended in ${end} without delivering: its work is at ${run.head.slice(0, 12)}, in no branch of yours.`]
    : [
        `It ended in ${end}. Its work is on the branch switchyard/${run.slug}; it is not merged${run.target === null ? ', and has no target' : ` to ${run.target}`}.`,
      ];
}

/** How the last of its steps ended, where that says more than the state does. */
async function lastWord({ engine }: Context, run: RunRow): Promise<string[]> {
  const step = await latestStep(engine.database, run.id);
  if (step === undefined || step.outcome === null) return [];
  return [`Its last step was ${nameOf(step)}: ${step.outcome}${step.detail === null ? '.' : ` (${step.detail})`}`];
}

function workOf(run: RunRow): string {
  if (run.head === run.base_commit) return 'It has changed nothing.';
  const branch = run.delivered === null ? '' : `, and on the branch switchyard/${run.slug}`;
  return `What it had done until then is kept at ${run.head.slice(0, 12)}${branch}.`;
}

function nameOf({ node, n }: Place): string {
  return n === undefined ? node : `${node} #${n}`;
}

/** To the second, which is close enough for people. */
function span(milliseconds: number): string {
  return formatDuration(Math.max(0, Math.floor(milliseconds / 1000) * 1000));
}
