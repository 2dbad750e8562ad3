import type { Teams } from '../domain/budget.ts';
import type { ModelTokens } from '../domain/model-call.ts';
import type { Usage } from '../domain/run.ts';
import type { UsageBy } from '../domain/usage.ts';
import type { Queries } from './database.ts';
import { json } from './json.ts';
import { UNPRICED } from './model-calls.ts';

/** What calls to models came to. */
export interface UsageSum {
  readonly calls: number;
  /** Those that failed. */
  readonly failed: number;
  /** Those of which some tokens were estimated. */
  readonly estimated: number;
  /** Those of whose tokens nobody knows; one that failed has used none. */
  readonly uncounted: number;
  readonly tokens: ModelTokens;
  /** US dollars, as far as prices are known; null where none is. */
  readonly cost: number | null;
  /** Calls of which nobody knows what they cost. */
  readonly unpriced: number;
}

/** The sum of one run, person, … . */
export interface UsageGroup extends UsageSum {
  /** The run's or repository's id, the person's name …, `implement #2` of a step; null for what has none: no team, no label, no known model. */
  readonly key: string | null;
  /** For people: the slug of a run, the path of a repository, as long as they are there; else the key. */
  readonly name: string | null;
  /** Of a step. */
  readonly run: string | null;
}

export interface UsageFilter {
  /** The id of a run. */
  readonly run?: string | undefined;
  readonly since?: Date | undefined;
  /** The first moment that is not counted any more. */
  readonly until?: Date | undefined;
}

/** All calls that fit, together. */
export async function usageTotal(queries: Queries, filter: UsageFilter): Promise<UsageSum> {
  const { where, values } = chosen(filter);
  const [sum] = await queries.query<UsageSum>(`select ${SUMS} from model_call where ${where}`, values);
  if (sum === undefined) throw new Error('a sum without a row');
  return sum;
}

/**
 * The calls that fit, in groups: days in their order, steps in theirs, all others by what they cost. A call counts in each team of its person, and
 * for each label of its task.
 */
export async function usageGroups(
  queries: Queries,
  by: UsageBy,
  { filter, teams }: { readonly filter: UsageFilter; readonly teams: Teams },
): Promise<UsageGroup[]> {
  const { where, values } = chosen(filter);
  const { key, name = 'key', from = '', order = BY_COST } = GROUPS[by];
  const given = by === 'team' ? [...values, json(teams)] : values;
  const run = by === 'step' ? 'run' : 'null::text';
  return queries.query<UsageGroup>(
    `with calls as (select * from model_call where ${where}),
       groups as (select calls.*, ${key} as key, ${run} as of_run from calls ${from.replace('$teams', `$${given.length}`)})
     select key, ${name} as name, of_run as run, ${SUMS} from groups group by key, of_run order by ${order}`,
    given,
  );
}

/**
 * What the agents of runs themselves say that they have used where the gateway has counted it as well, by the runs' ids; without runs of which some
 * calls lie outside of the period, and those that are gone.
 */
export async function reportedUsage(
  queries: Queries,
  runs: readonly string[],
  { since, until }: Pick<UsageFilter, 'since' | 'until'>,
): Promise<Map<string, Usage>> {
  if (runs.length === 0) return new Map();
  const rows = await queries.query<{ id: string; usage: Usage }>(
    `select id, consumed -> 'reported' as usage from run where id = any($1) and consumed ? 'reported'
       and not exists (select from model_call where model_call.run = run.id
         and (at < coalesce($2::timestamptz, '-infinity') or at >= coalesce($3::timestamptz, 'infinity')))`,
    [runs, since ?? null, until ?? null],
  );
  return new Map(rows.map(({ id, usage }) => [id, usage]));
}

const BY_COST = 'sum(cost) desc nulls last, sum(input) + sum(output) desc nulls last, key';

/** How groups are made; `$teams` is the number of the parameter with the teams. */
const GROUPS: Readonly<
  Record<UsageBy, { readonly key: string; readonly name?: string; readonly from?: string; readonly order?: string }>
> = {
  run: { key: 'run', name: '(select slug from run where run.id = groups.key)' },
  step: { key: `node || ' #' || n`, order: 'min(at), key' },
  person: { key: 'requester' },
  team: {
    key: 'team.name',
    from: `left join (select distinct each.key as name, person from jsonb_each($teams::jsonb) as each, jsonb_array_elements_text(each.value) as person) as team
      on team.person = calls.requester`,
  },
  label: { key: 'label.name', from: 'left join lateral (select distinct unnest(labels) as name) as label on true' },
  repository: { key: 'repository', name: '(select path from repository where repository.id = groups.key)' },
  agent: { key: 'agent' },
  model: { key: 'model' },
  day: { key: `(at at time zone 'UTC')::date::text`, order: 'key' },
};

const SUMS = `
  count(*)::float8 as calls, count(*) filter (where outcome = 'failed')::float8 as failed, count(*) filter (where estimated)::float8 as estimated,
  count(*) filter (where input is null and outcome <> 'failed')::float8 as uncounted,
  jsonb_build_object('input', coalesce(sum(input), 0), 'cached', coalesce(sum(cached), 0), 'cacheWrite', coalesce(sum(cache_write), 0),
    'output', coalesce(sum(output), 0), 'reasoning', coalesce(sum(reasoning), 0)) as tokens,
  sum(cost) as cost, count(*) filter (where ${UNPRICED})::float8 as unpriced`;

function chosen({ run, since, until }: UsageFilter): { readonly where: string; readonly values: readonly unknown[] } {
  const values: unknown[] = [];
  const parts = (
    [
      ['run =', run],
      ['at >=', since],
      ['at <', until],
    ] as const
  ).flatMap(([condition, value]) => (value === undefined ? [] : [`${condition} $${values.push(value)}`]));
  return { where: ['true', ...parts].join(' and '), values };
}
