import type { Spender } from '../domain/budget.ts';
import type { ModelCall } from '../domain/model-call.ts';
import type { Queries } from './database.ts';
import { storable } from './json.ts';

/** Where a call came from, besides whose it is. A person who works in a run by hand has no step. */
export interface CallOrigin extends Spender {
  readonly step: string | null;
  readonly attempt: number | null;
  readonly node: string | null;
  readonly n: number | null;
}

/**
 * Where the calls of one attempt of a step come from: looked up once, when the attempt begins. Undefined when there is no such step.
 * `agent` is the agent's name in the machine's configuration.
 */
export async function originOfAttempt(
  queries: Queries,
  { step, attempt, agent }: { readonly step: string; readonly attempt: number; readonly agent: string },
): Promise<CallOrigin | undefined> {
  const [row] = await queries.query<Omit<CallOrigin, 'attempt' | 'agent'>>(
    `select step.id as step, step.node, step.n, run.id as run, run.task, run.requester as person, run.repository, task.labels
     from step join run on run.id = step.run join task on task.id = run.task where step.id = $1`,
    [step],
  );
  return row === undefined ? undefined : { ...row, attempt, agent };
}

/** The same for what a person does in a run by hand. Undefined when there is no such run. */
export async function originByHand(
  queries: Queries,
  { run, agent }: { readonly run: string; readonly agent: string | null },
): Promise<CallOrigin | undefined> {
  const [row] = await queries.query<Spender>(
    `select run.id as run, run.task, run.requester as person, run.repository, task.labels
     from run join task on task.id = run.task where run.id = $1`,
    [run],
  );
  return row === undefined ? undefined : { ...row, agent, step: null, attempt: null, node: null, n: null };
}

/**
 * Whether nobody knows what a call has cost: SQL over a row of `model_call`. One that failed before anything was counted has cost nothing, as no
 * provider charges for an error.
 */
export const UNPRICED = `(cost is null and (outcome <> 'failed' or input is not null))`;

/**
 * Stores a call as it ended at that moment, and adds it to the sums that budgets are asked of: one statement, so both or neither. The same id again
 * changes nothing, and gives false.
 */
export async function recordModelCall(
  queries: Queries,
  call: ModelCall,
  { origin, at }: { readonly origin: CallOrigin; readonly at: Date },
): Promise<boolean> {
  const rows = await queries.query(RECORD, [
    call.id,
    at,
    origin.run,
    origin.task,
    origin.step,
    origin.attempt,
    origin.node,
    origin.n,
    origin.agent,
    origin.person,
    origin.repository,
    origin.labels,
    call.api,
    text(call.host),
    text(call.model),
    call.credential,
    call.status,
    call.outcome,
    whole(call.tokens?.input),
    whole(call.tokens?.cached),
    whole(call.tokens?.cacheWrite),
    whole(call.tokens?.output),
    whole(call.tokens?.reasoning),
    call.estimated,
    call.cost,
    new Date(call.startedAt),
    call.firstByteMs,
    call.durationMs,
  ]);
  return rows.length > 0;
}

/** Rows of the sums are taken in the same order by all who write them, so that none waits for another in a circle. */
const RECORD = `
  with call as (
    insert into model_call (id, at, run, task, step, attempt, node, n, agent, requester, repository, labels, api, host, model, credential,
      status, outcome, input, cached, cache_write, output, reasoning, estimated, cost, started_at, first_byte_ms, duration_ms)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)
    on conflict (id) do nothing
    returning *)
  insert into model_day (per, name, day, calls, tokens, cost, unpriced)
  select per, name, (at at time zone 'UTC')::date, 1, coalesce(input, 0) + coalesce(output, 0), coalesce(cost, 0), ${UNPRICED}::int
  from call cross join lateral (
    select 'everything' as per, '' as name
    union select 'run', run union select 'task', task union select 'person', requester union select 'repository', repository
    union select 'agent', agent union select 'label', unnest(labels)) as scope
  where name is not null order by per, name
  on conflict (per, name, day) do update set calls = model_day.calls + excluded.calls, tokens = model_day.tokens + excluded.tokens,
    cost = model_day.cost + excluded.cost, unpriced = model_day.unpriced + excluded.unpriced
  returning 1`;

/** What an upstream says may hold anything. */
function text(said: string | null): string | null {
  return said === null ? null : storable(said);
}

/** A number of tokens as the column takes it. */
function whole(tokens: number | undefined): number | null {
  if (tokens === undefined) return null;
  return Number.isFinite(tokens) ? Math.min(Math.max(0, Math.round(tokens)), Number.MAX_SAFE_INTEGER) : 0;
}
