import type { Pause, Upstream } from '../ports/model-gateway.ts';
import type { Queries } from './database.ts';
import { storable } from './json.ts';

/** Until when an upstream wants no requests with a credential, for any model or for the one that is asked for; undefined when it takes them. Of several, a quota, else the one that lasts longest. */
export async function pauseOf(
  queries: Queries,
  { host, credential, model }: Upstream,
  now: Date,
): Promise<Pause | undefined> {
  const [row] = await queries.query<{ kind: Pause['kind']; until: Date; isOfModel: boolean }>(
    `select kind, until, false as "isOfModel" from upstream_pause where host = $1 and credential = $2 and until > $3
     union all
     select kind, until, true from upstream_model_pause where host = $1 and credential = $2 and until > $3 and model = $4
     order by kind, until desc limit 1`,
    [host, credential ?? '', now, model === undefined ? null : storable(model)],
  );
  return row && { kind: row.kind, until: row.until.getTime(), ...(row.isOfModel ? { model } : {}) };
}

/** Tells all workers of it. One that ends earlier than another that is known of the same changes nothing. */
export async function notePause(
  queries: Queries,
  { host, credential }: Upstream,
  { kind, until, model }: Pause,
): Promise<void> {
  const values = [host, credential ?? '', kind, new Date(until)];
  await (model === undefined ? queries.query(OF_ALL, values) : queries.query(OF_MODEL, [...values, storable(model)]));
}

const OF_ALL = `
  insert into upstream_pause (host, credential, kind, until) values ($1, $2, $3, $4)
  on conflict (host, credential) do update set kind = excluded.kind, until = excluded.until
  where upstream_pause.until < excluded.until`;
const OF_MODEL = `
  insert into upstream_model_pause (host, credential, kind, until, model) values ($1, $2, $3, $4, $5)
  on conflict (host, credential, model) do update set kind = excluded.kind, until = excluded.until
  where upstream_model_pause.until < excluded.until`;

/** Has quotas tried again before their reset: a person may know that there is more. */
export async function forgetQuotas(queries: Queries): Promise<void> {
  await queries.query("delete from upstream_pause where kind = 'quota'");
  await queries.query("delete from upstream_model_pause where kind = 'quota'");
}
