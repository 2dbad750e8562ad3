import { currentNode, type FlowState } from '../blueprint/advance.ts';
import type { Actor } from '../domain/actor.ts';
import type { Blueprint } from '../domain/blueprint.ts';
import { between } from '../lib/crash-point.ts';
import { SwitchyardError } from '../lib/error.ts';
import { evidenceOn } from '../store/evidence.ts';
import type { RunRow, StepRow } from '../store/rows.ts';
import { latestStep, openStep } from '../store/steps.ts';
import { insertAside } from './aside.ts';
import { command } from './command.ts';
import { apply } from './decide.ts';
import type { Engine } from './engine.ts';
import { current, endWaiting, type OpenRun, record, setState, writeAndAdmit } from './transition.ts';

export interface MergeRequest {
  readonly to?: string | undefined;
  readonly push: boolean;
  readonly actor: Actor;
}

/** `under-way`: somebody else, or the blueprint, has begun the same merge, and it goes on. */
export type MergeAnswer = { readonly kind: 'already' | 'working' | 'under-way'; readonly run: RunRow };

/**
 * A person asks for the merge of a delivered head; that is their approval of it. A run parked at a merge is tried again; one that is
 * merged stays so, and one that is being merged goes on. Refuses with `merge/not-delivered`, `merge/red-checks`, `merge/no-target`,
 * `merge/under-way` for another branch than the one that it is being merged to, `merge/own-target` for another than the blueprint names.
 */
export async function mergeRun(engine: Engine, id: string, request: MergeRequest): Promise<MergeAnswer> {
  return between(engine.crashPoint, 'decision', async () => {
    let kind: MergeAnswer['kind'] = 'working';
    const run = await command(engine, id, async (open) => {
      const underWay = open.row.merged === null ? await mergeUnderWay(open) : undefined;
      if (underWay !== undefined) refuseOther(open, underWay, request);
      kind = open.row.merged !== null ? 'already' : underWay === undefined ? 'working' : 'under-way';
      if (kind === 'working') await merge(open, request);
    });
    return { kind, run };
  });
}

async function merge(run: OpenRun, request: MergeRequest): Promise<void> {
  const { row } = run;
  const { actor } = request;
  const parkedAt = await parkedMerge(run);
  if (parkedAt?.aside === true && request.to !== undefined) {
    record(run, actor, { kind: 'run.resumed', choice: 'merge', head: row.head });
    await insertAside(run, { to: request.to, push: request.push });
    setState(run, { kind: 'running' });
    return writeAndAdmit(run);
  }
  if (parkedAt !== undefined) {
    redirect(run, request);
    await apply(run, { choice: 'retry', actor });
    return writeAndAdmit(run);
  }
  await refuse(run, request);
  if (row.state.kind === 'parked' && row.state.needs.choices.includes('approved')) {
    redirect(run, request);
    await apply(run, { choice: 'approved', actor });
    // Where the blueprint has more to do, perhaps a merge of its own, that comes first.
    if (current(run).state.kind !== 'succeeded') return writeAndAdmit(run);
  } else {
    const waiting = await openStep(run.queries, row.id);
    if (waiting !== undefined) await endWaiting(run, waiting, { outcome: 'merge', outputs: {}, actor });
  }
  record(run, actor, { kind: 'run.resumed', choice: 'merge', head: row.head });
  await insertAside(run, { ...(request.to === undefined ? {} : { to: request.to }), push: request.push });
  setState(run, { kind: 'running' });
  run.changes.ended_at = null;
  await writeAndAdmit(run);
}

/** What a merge at work was told. */
interface UnderWay {
  readonly target: string | null;
  readonly push: boolean;
}

/** The merge that the run is at, waiting for a place or at work. */
async function mergeUnderWay({ row, queries }: OpenRun): Promise<UnderWay | undefined> {
  if (row.state.kind !== 'running' && row.state.kind !== 'queued') return undefined;
  const step = await openStep(queries, row.id);
  if (step?.kind !== 'deliver') return undefined;
  const fields = step.aside ? { deliver: 'merge', ...step.inputs } : currentFields(row);
  if (fields['deliver'] !== 'merge') return undefined;
  const { to, push } = fields;
  return { target: typeof to === 'string' ? to : row.target, push: push === true || row.settings.push };
}

function currentFields({ blueprint, flow }: RunRow): Readonly<Record<string, unknown>> {
  return currentNode(blueprint, flow as FlowState)?.node.fields ?? {};
}

function refuseOther({ row }: OpenRun, { target, push }: UnderWay, request: MergeRequest): void {
  if ((request.to ?? target) === target && (push || !request.push)) return;
  throw new SwitchyardError({
    code: 'merge/under-way',
    message: `Run ${row.slug} is being merged${target === null ? '' : ` to ${target}`} already${request.push && !push ? ', without --push' : ''}.`,
    hint: `Wait for it with \`switchyard merge ${row.slug}\`; what it has merged can be merged elsewhere, or pushed, with git.`,
  });
}

/** Where the blueprint goes on to merges of its own, those go where the person said. */
function redirect(run: OpenRun, { to, push }: MergeRequest): void {
  const { row } = run;
  const targets = mergeTargets(row.blueprint);
  if (targets.length === 0) return;
  if (push) run.changes.settings = { ...row.settings, push: true };
  if (to === undefined) return;
  const fixed = targets.find((target) => target !== undefined && target !== to);
  if (fixed !== undefined) {
    throw new SwitchyardError({
      code: 'merge/own-target',
      message: `The blueprint ${row.blueprint.name} of run ${row.slug} merges to ${fixed} itself, so --to ${to} is not in force.`,
      hint: `Leave --to out; what it has merged can be merged to ${to} with git.`,
    });
  }
  run.changes.target = to;
}

/** For each merge of the blueprint the branch that it names; undefined for the run's own target. */
function mergeTargets(blueprint: Blueprint): (string | undefined)[] {
  const nodes = [blueprint, ...Object.values(blueprint.blueprints)].flatMap((one) => Object.values(one.nodes));
  return nodes.flatMap(({ kind, fields: { deliver, to } }) =>
    kind === 'deliver' && deliver === 'merge' ? [typeof to === 'string' ? to : undefined] : [],
  );
}

/** The merge that the run is parked at, if it is. */
async function parkedMerge({ row, queries }: OpenRun): Promise<StepRow | undefined> {
  if (row.state.kind !== 'parked' || !row.state.needs.choices.includes('retry')) return undefined;
  const last = await latestStep(queries, row.id);
  return last?.kind === 'deliver' && (last.aside || row.state.reason.code.startsWith('merge/')) ? last : undefined;
}

async function refuse({ row, queries }: OpenRun, request: MergeRequest): Promise<void> {
  const { kind } = row.state;
  const isDelivered = row.delivered !== null && row.mergeable === row.head;
  if (!isDelivered || kind === 'discarded' || kind === 'running' || kind === 'queued') {
    throw new SwitchyardError({
      code: 'merge/not-delivered',
      message: `Run ${row.slug} is ${kind}${isDelivered ? '' : ` and has delivered ${undelivered(row)}`}.`,
      hint: toDeliver(row),
    });
  }
  if (row.target === null && request.to === undefined) {
    throw new SwitchyardError({
      code: 'merge/no-target',
      message: `Run ${row.slug} began at ${row.base_ref}, which is no branch.`,
      hint: `Say where to: \`switchyard merge ${row.slug} --to BRANCH\`.`,
    });
  }
  const evidence = await evidenceOn(queries, row.id, row.head);
  const red = evidence.filter(({ verdict }) => verdict !== 'pass').map(({ name }) => name);
  if (red.length > 0) {
    throw new SwitchyardError({
      code: 'merge/red-checks',
      message: `On the head of ${row.slug} these checks are red: ${red.join(', ')}.`,
      hint: `Let them be fixed first; \`switchyard why ${row.slug}\` says what can be done.`,
    });
  }
}

/** How what is not delivered comes to be merged all the same. */
function toDeliver({ slug, state }: RunRow): string {
  switch (state.kind) {
    case 'queued':
    case 'running':
      return `Wait for it: \`switchyard logs -f ${slug}\`.`;
    case 'discarded':
      return `Bring it back first: \`switchyard restore ${slug}\`.`;
    case 'parked': {
      const goOn = state.reason.code.startsWith('deliver/')
        ? `Its delivery is stuck: \`switchyard why ${slug}\` says what helps, then \`switchyard retry ${slug}\` delivers it`
        : `Let it go on until it has delivered: \`switchyard why ${slug}\` says what it waits for`;
      return `${goOn}. Or have it on a branch that you merge with git: ${onBranch(slug)}.`;
    }
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return `Only a delivered head can be merged here. Have it on a branch that you merge with git: ${onBranch(slug)}.`;
  }
}

const onBranch = (slug: string): string => `\`switchyard checkout ${slug} --branch NAME\``;

function undelivered({ delivered, mergeable, head }: RunRow): string {
  if (delivered === null || mergeable === null) return 'nothing';
  return `${mergeable.slice(0, 12)}, not its present head ${head.slice(0, 12)}`;
}
