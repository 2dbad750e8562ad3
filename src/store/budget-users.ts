import { type Budget, windowOf } from '../domain/budget.ts';
import type { Queries } from './database.ts';

/**
 * Names of the persons, labels, … (ids of repositories) that have used something in the present window of a budget that is for each of
 * them: those that have used most come first.
 */
export async function usersOf(
  queries: Queries,
  { per, each }: Budget,
  { now, most }: { readonly now: number; readonly most: number },
): Promise<string[]> {
  const rows = await queries.query<{ name: string }>(
    `select name from model_day where per = $1 and day >= coalesce(($2::timestamptz at time zone 'UTC')::date, '-infinity')
     group by name order by sum(cost) desc, sum(tokens) desc, name limit $3`,
    [per, windowOf(each, now).since, most],
  );
  return rows.map(({ name }) => name);
}
