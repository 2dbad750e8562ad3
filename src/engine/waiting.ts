import type { Queries } from '../store/database.ts';
import { SHARED_QUEUE } from '../store/queue.ts';
import type { StepRow } from '../store/rows.ts';
import { activeSteps } from './admission.ts';
import type { Engine } from './engine.ts';
import { AGEING_MS, type Blocked, blockedBy, type Candidate } from './places.ts';

/** A step of some run, for people. */
export interface NamedStep {
  readonly run: string;
  readonly slug: string;
  readonly node: string;
  readonly n: number;
}

/** Why a step is not being worked on yet. */
export interface Waiting {
  /**
   * The limit that is reached; `branch` when another step of the repository has to itself what this one needs; `refs` while the run's
   * refs move to the trash or back; `next` when nothing keeps it; `worker` when it has a place and no worker has taken it yet.
   */
  readonly kind:
    | 'limits.agents'
    | 'limits.perRepository'
    | 'limits.perProvider'
    | 'limits.perPerson'
    | 'others'
    | 'branch'
    | 'refs'
    | 'next'
    | 'worker';
  /** Of the limit. */
  readonly max?: number;
  /** The steps that have the places. */
  readonly by: readonly NamedStep[];
  /** Steps of the same sort that wait as well and are more urgent, or as urgent and have waited longer. */
  readonly ahead: number;
  /** All of this as a sentence. */
  readonly text: string;
}

const MOST_NAMED = 5;

/** Undefined for a step that is at work or over. */
export async function whyWaiting(engine: Engine, step: StepRow): Promise<Waiting | undefined> {
  const { database, limits } = engine;
  if (step.state === 'admitted') return waitsForWorker(database, step);
  if (step.state !== 'waiting') return undefined;
  if (await areRefsMoving(database, step.run)) {
    const text = 'It waits until the refs of its run have come out of the trash, or gone there.';
    return { kind: 'refs', by: [], ahead: 0, text };
  }
  const blocked = blockedBy({ ...step, waitingMs: 0 }, await activeSteps(database), limits);
  const ahead = await countAhead(database, step);
  if (blocked === undefined) return { kind: 'next', by: [], ahead, text: 'Nothing keeps it: it is let in next.' };
  const by = await named(database, blocked.by);
  const kind = KINDS[blocked.lack];
  const line =
    ahead === 0 ? 'it is the next in line' : `${ahead} ${ahead === 1 ? 'other goes' : 'others go'} before it`;
  return { kind, max: blocked.max, by, ahead, text: `${sentence(step, blocked, by)}; ${line}.` };
}

const KINDS = {
  agents: 'limits.agents',
  perRepository: 'limits.perRepository',
  perProvider: 'limits.perProvider',
  perPerson: 'limits.perPerson',
  others: 'others',
  holds: 'branch',
} as const;

function sentence(step: StepRow, { lack, max, name }: Blocked<Candidate>, by: readonly NamedStep[]): string {
  const who = list(by);
  const taken = (what: string, limit: string) =>
    `${by.length} of ${max} places for ${what} are taken${limit}${who === '' ? '' : ` by ${who}`}`;
  switch (lack) {
    case 'agents':
      return taken('agents', ' (limits.agents)');
    case 'perRepository':
      return taken('agents in this repository', ' (limits.perRepository)');
    case 'perProvider':
      return taken(`agents of ${name}`, ` (limits.perProvider.${name})`);
    case 'perPerson':
      return taken(`agents of ${step.requester}`, ' (limits.perPerson)');
    case 'others':
      return taken('checks, commands and deliveries', '');
    case 'holds':
      return `${who} has ${step.holds} to itself until it is done`;
  }
}

function list(steps: readonly NamedStep[]): string {
  const some = steps.slice(0, MOST_NAMED).map(({ slug, node, n }) => `${slug} (${node} #${n})`);
  const more = steps.length - some.length;
  return more > 0 ? `${some.join(', ')} and ${more} more` : some.join(', ');
}

async function named(queries: Queries, steps: readonly Candidate[]): Promise<NamedStep[]> {
  return queries.query<NamedStep>(
    `select run.id as run, run.slug, step.node, step.n from step join run on run.id = step.run
     where step.id = any($1) order by step.started_at, step.position`,
    [steps.map(({ id }) => id)],
  );
}

async function countAhead(queries: Queries, step: StepRow): Promise<number> {
  const [row] = await queries.query<{ count: number }>(
    `with line as (
       select id, since, priority + floor(extract(epoch from now() - since) * 1000 / $3) as urgency from step
       where state = 'waiting' and agentic = $2 and ($4::text is null or (repository, holds) = ($5, $4)))
     select count(*)::int as count from line, line as own
     where own.id = $1 and (line.urgency > own.urgency or line.urgency = own.urgency and line.since < own.since)`,
    [step.id, step.agentic, AGEING_MS, step.holds, step.repository],
  );
  return row?.count ?? 0;
}

async function areRefsMoving(queries: Queries, run: string): Promise<boolean> {
  const found = await queries.query(
    `select 1 from outbox where run = $1 and done_at is null and kind in ('trash', 'restore') limit 1`,
    [run],
  );
  return found.length > 0;
}

async function waitsForWorker(queries: Queries, step: StepRow): Promise<Waiting> {
  const [worker] = await queries.query<{ machine: string; pid: number }>(
    `select machine, pid from worker where $1 = $2 || '-' || id`,
    [step.queue, SHARED_QUEUE],
  );
  const text =
    worker === undefined
      ? 'It has a place; the first worker that looks takes it.'
      : `It has a place; the worker that has its workspace (${worker.machine}, process ${worker.pid}) takes it next.`;
  return { kind: 'worker', by: [], ahead: 0, text };
}
