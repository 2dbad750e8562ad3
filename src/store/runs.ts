import { NO_USAGE, type RunStateKind, type Usage } from '../domain/run.ts';
import { SwitchyardError } from '../lib/error.ts';
import { insert, update } from './changes.ts';
import type { Queries } from './database.ts';
import { json } from './json.ts';
import type { RunRow } from './rows.ts';

type FilledLater =
  | 'state_kind'
  | 'state_before'
  | 'delivered'
  | 'merged'
  | 'mergeable'
  | 'merging'
  | 'granted'
  | 'said'
  | 'exposed'
  | 'cancelling'
  | 'opening'
  | 'decided'
  | 'forked_from'
  | 'ended_at';
export type NewRun = Omit<RunRow, FilledLater> & Partial<Pick<RunRow, 'forked_from'>>;

export async function insertRun(queries: Queries, run: NewRun): Promise<void> {
  if (!(await insert(queries, 'run', { ...run }))) throw new Error(`there is a run ${run.id} or ${run.slug} already`);
}

export async function updateRun(
  queries: Queries,
  id: string,
  changes: Partial<Omit<RunRow, 'id' | 'state_kind'>>,
): Promise<void> {
  await update(queries, 'run', id, changes);
}

/** The run row, locked until the transaction ends: whoever changes a run or its steps holds it, and takes it before anything else. */
export async function lockRun(queries: Queries, id: string): Promise<RunRow> {
  const [row] = await queries.query<RunRow>('select * from run where id = $1 for no key update', [id]);
  if (row === undefined) throw notFound(id);
  return row;
}

/** The same lock on the run of a step, which is returned; undefined when there is no such step. */
export async function lockRunOf(queries: Queries, step: string): Promise<RunRow | undefined> {
  const [row] = await queries.query<RunRow>(
    'select * from run where id = (select run from step where id = $1) for no key update',
    [step],
  );
  return row;
}

/** The same lock, for those who need not know the row. */
export async function holdRun(queries: Queries, id: string): Promise<void> {
  await queries.query('select 1 from run where id = $1 for no key update', [id]);
}

/** Writes down what a merge is about to do, unless the step's attempt has lost its lease; false when it has. */
export async function intendMerge(
  queries: Queries,
  merging: NonNullable<RunRow['merging']>,
  { run, step, attempt }: { run: string; step: string; attempt: number },
): Promise<boolean> {
  const rows = await queries.query(
    `update run set merging = $4 where id = $1
       and exists (select 1 from step where step.id = $2 and lease = $3 and state = 'running') returning 1`,
    [run, step, attempt, json(merging)],
  );
  return rows.length === 1;
}

export async function findRun(queries: Queries, id: string): Promise<RunRow | undefined> {
  const [row] = await queries.query<RunRow>('select * from run where id = $1', [id]);
  return row;
}

/** What state the run is in, for those who need not know the row. */
export async function stateKindOf(queries: Queries, id: string): Promise<RunStateKind> {
  const [row] = await queries.query<Pick<RunRow, 'state_kind'>>('select state_kind from run where id = $1', [id]);
  if (row === undefined) throw notFound(id);
  return row.state_kind;
}

export async function getRun(queries: Queries, id: string): Promise<RunRow> {
  const row = await findRun(queries, id);
  if (row === undefined) throw notFound(id);
  return row;
}

/** Finds a run by id, unique prefix of an id, slug, or `@last`. For the beginning of one run's slug the refusal names that. */
export async function resolveRun(queries: Queries, reference: string): Promise<RunRow> {
  if (reference === '@last') {
    const [row] = await queries.query<RunRow>('select * from run order by created_at desc, id desc limit 1');
    if (row === undefined) throw notFound(reference);
    return row;
  }
  const [named] = await queries.query<RunRow>(
    'select * from run where id = $1 or slug = $1 order by id = $1 desc limit 1',
    [reference],
  );
  if (named !== undefined) return named;
  if (!/^[a-z0-9]+$/.test(reference)) throw await notFoundNear(queries, reference);
  const [first, second] = await queries.query<RunRow>(
    `select * from run where id collate "C" >= $1 and id collate "C" < $1 || '~' limit 2`,
    [reference],
  );
  if (first === undefined) throw await notFoundNear(queries, reference);
  if (second !== undefined) throw ambiguous(reference);
  return first;
}

/** Adds to what the run has used: a single statement, so that ends of steps, which write the same column, lose nothing of it. */
export async function addConsumed(
  queries: Queries,
  id: string,
  { turns, usage, reported = NO_USAGE }: { turns: number; usage: Usage; reported?: Usage },
): Promise<void> {
  const rows = await queries.query(
    `update run set consumed = consumed || jsonb_build_object('turns', (consumed ->> 'turns')::float8 + $2::float8, 'usage', ${sumOf('usage', 3)})
       || case when $5 then jsonb_build_object('reported', ${sumOf('reported', 4)}) else '{}' end
     where id = $1 returning 1`,
    [id, turns, json(usage), json(reported), reported !== NO_USAGE],
  );
  if (rows.length === 0) throw notFound(id);
}

/** The sum of what is there and what is added; a cost that nobody knows adds nothing, and is null where both are. */
function sumOf(which: 'usage' | 'reported', parameter: number): string {
  const there = (name: keyof Usage) => `(consumed #>> '{${which},${name}}')::float8`;
  const added = (name: keyof Usage) => `($${parameter}::jsonb ->> '${name}')::float8`;
  const tokens = (['input', 'output', 'cached', 'reasoning'] as const).map(
    (name) => `'${name}', coalesce(${there(name)}, 0) + ${added(name)}`,
  );
  const cost = `coalesce(${there('cost')} + ${added('cost')}, ${there('cost')}, ${added('cost')})`;
  return `jsonb_build_object(${tokens.join(', ')}, 'cost', ${cost})`;
}

/** Runs that wait for a moment that has come, and for nobody who has them open; the one that has waited longest first. */
export async function dueRuns(queries: Queries, now: Date): Promise<string[]> {
  const rows = await queries.query<{ id: string }>(
    `select id from run where state_kind = 'parked' and state #>> '{needs,until}' <= $1 and opening is null
     order by state #>> '{needs,until}' limit 100`,
    [now.toISOString()],
  );
  return rows.map(({ id }) => id);
}

/** How many wait for a moment that has come or will, and for nobody who has them open. */
export async function countTimed(queries: Queries): Promise<number> {
  const [row] = await queries.query<{ count: number }>(
    `select count(*)::int as count from run where state_kind = 'parked' and state #>> '{needs,until}' is not null and opening is null`,
  );
  return row?.count ?? 0;
}

export async function countRuns(queries: Queries): Promise<Partial<Record<RunStateKind, number>>> {
  const rows = await queries.query<{ state_kind: RunStateKind; count: string }>(
    `select state_kind, count(*) from run where state_kind in ('queued', 'running', 'parked') group by 1`,
  );
  return Object.fromEntries(rows.map((row) => [row.state_kind, Number(row.count)]));
}

/** Any number that nothing else locks. */
const SLUG_LOCK = 7_406_993;
const MOST_ALIKE = 2 ** 24;
/** How many slugs are looked up together. */
const AT_ONCE = 32;

/** A slug that no run has: the wanted one, or with a number. Nobody else is given one before the caller's transaction has ended. */
export async function freeSlug(queries: Queries, wanted: string): Promise<string> {
  await queries.query('select pg_advisory_xact_lock($1)', [SLUG_LOCK]);
  const numbered = (n: number) => (n === 1 ? wanted : `${wanted}-${n}`);
  let candidates = Array.from({ length: Math.log2(MOST_ALIKE) + 1 }, (_, power) => 2 ** power);
  for (let used = 0, free = MOST_ALIKE; ; ) {
    const rows = await queries.query<{ slug: string }>('select slug from run where slug = any($1)', [
      candidates.map(numbered),
    ]);
    const slugs = new Set(rows.map((row) => row.slug));
    free = candidates.find((n) => !slugs.has(numbered(n))) ?? free;
    used = candidates.findLast((n) => n < free) ?? used;
    // Between the last that is taken and the first that is free there is one of each side by side.
    if (free - used <= 1) return numbered(free);
    candidates = between(used, free);
  }
}

/** A few numbers that lie evenly between two others. */
function between(low: number, high: number): number[] {
  const step = Math.ceil((high - low) / AT_ONCE);
  return Array.from({ length: Math.ceil((high - low) / step) - 1 }, (_, n) => low + (n + 1) * step);
}

function notFound(reference: string, meant?: string): SwitchyardError {
  const all = 'See `switchyard ls --all`.';
  return new SwitchyardError({
    code: 'run/not-found',
    message: `There is no run ${JSON.stringify(reference)}.`,
    hint: meant === undefined ? all : `Did you mean ${meant}? ${all}`,
  });
}

async function notFoundNear(queries: Queries, reference: string): Promise<SwitchyardError> {
  const [one, other] = await queries.query<Pick<RunRow, 'slug'>>(
    'select slug from run where starts_with(slug, $1) limit 2',
    [reference],
  );
  return notFound(reference, reference !== '' && other === undefined ? one?.slug : undefined);
}

function ambiguous(reference: string): SwitchyardError {
  return new SwitchyardError({
    code: 'run/ambiguous',
    message: `Several runs begin with ${JSON.stringify(reference)}.`,
    hint: 'Give more letters of the id, or the slug.',
  });
}
