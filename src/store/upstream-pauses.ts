import type { Pause, Upstream } from '../ports/model-gateway.ts';
import type { Queries } from './database.ts';

/** Until when an upstream wants no requests with a credential; undefined when it takes them. */
export async function pauseOf(queries: Queries, { host, credential }: Upstream, now: Date): Promise<Pause | undefined> {
  const [row] = await queries.query<{ kind: Pause['kind']; until: Date }>(
    'select kind, until from upstream_pause where host = $1 and credential = $2 and until > $3',
    [host, credential ?? '', now],
  );
  return row && { kind: row.kind, until: row.until.getTime() };
}

/** Tells all workers of it. One that ends earlier than another that is known changes nothing. */
export async function notePause(queries: Queries, { host, credential }: Upstream, pause: Pause): Promise<void> {
  await queries.query(
    `insert into upstream_pause (host, credential, kind, until) values ($1, $2, $3, $4)
     on conflict (host, credential) do update set kind = excluded.kind, until = excluded.until
     where upstream_pause.until < excluded.until`,
    [host, credential ?? '', pause.kind, new Date(pause.until)],
  );
}

/** Has quotas tried again before their reset: a person may know that there is more. */
export async function forgetQuotas(queries: Queries): Promise<void> {
  await queries.query("delete from upstream_pause where kind = 'quota'");
}
