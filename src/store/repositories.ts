import type { RunStateKind } from '../domain/run.ts';
import { SwitchyardError } from '../lib/error.ts';
import type { Queries } from './database.ts';
import { deleteRuns } from './retention.ts';
import type { RepositoryRow } from './rows.ts';

/** Remembers a repository; its path follows it when it was moved. */
export async function upsertRepository(queries: Queries, repository: RepositoryRow, at: Date): Promise<void> {
  const values = [repository.id, repository.path, repository.common_dir ?? null];
  // Several first runs of a repository come at once: whichever is second finds the first's row by its id or by its git directory.
  await queries.query(
    'insert into repository (id, path, common_dir, created_at) values ($1, $2, $3, $4) on conflict do nothing',
    [...values, at],
  );
  await queries.query(
    `update repository set path = $2, common_dir = coalesce($3, common_dir)
     where id = $1 and (path, common_dir) is distinct from ($2, coalesce($3, common_dir))`,
    values,
  );
}

export async function getRepository(queries: Queries, id: string): Promise<RepositoryRow> {
  const [row] = await queries.query<RepositoryRow>('select id, path, common_dir from repository where id = $1', [id]);
  if (row === undefined) throw new Error(`repository ${id} is not known`);
  return row;
}

/** The repository whose git directory that is, and the one that has the id. */
export async function knownAs(
  queries: Queries,
  { commonDir, id }: { commonDir: string; id: string },
): Promise<{ here: RepositoryRow | undefined; named: RepositoryRow | undefined }> {
  const rows = await queries.query<RepositoryRow>(
    'select id, path, common_dir from repository where common_dir = $1 or id = $2',
    [commonDir, id],
  );
  return { here: rows.find((row) => row.common_dir === commonDir), named: rows.find((row) => row.id === id) };
}

export interface ListedRepository extends RepositoryRow {
  readonly runs: Readonly<Partial<Record<RunStateKind, number>>>;
}

/** All repositories with how many runs of theirs are in which state, by path. */
export async function listRepositories(queries: Queries): Promise<ListedRepository[]> {
  return queries.query<ListedRepository>(
    `select id, path, common_dir, (
       select coalesce(jsonb_object_agg(state_kind, count), '{}')
       from (select state_kind, count(*) as count from run where run.repository = repository.id group by 1) as counted) as runs
     from repository order by path, id`,
  );
}

/** The repositories in which a run was started since. */
export async function repositoriesInUse(queries: Queries, since: Date): Promise<RepositoryRow[]> {
  return queries.query<RepositoryRow>(
    `select id, path, common_dir from repository
     where exists (select 1 from run where run.repository = repository.id and run.created_at >= $1) order by id`,
    [since],
  );
}

/** Finds a repository by its id, a unique beginning of it, or its path. */
export async function resolveRepository(queries: Queries, reference: string): Promise<RepositoryRow> {
  const rows = await queries.query<RepositoryRow>(
    `select id, path, common_dir from repository where id = $1 or path = $1 or starts_with(id, $1) order by id = $1 or path = $1 desc, id limit 2`,
    [reference],
  );
  const [first, second] = rows;
  const isExact = first?.id === reference || first?.path === reference;
  if (first !== undefined && (isExact || second === undefined)) return first;
  throw new SwitchyardError(
    first === undefined
      ? {
          code: 'repository/not-known',
          message: `No repository ${JSON.stringify(reference)} is known here.`,
          hint: 'See `switchyard repo ls`.',
        }
      : {
          code: 'repository/ambiguous',
          message: `Several repositories begin with ${JSON.stringify(reference)}.`,
          hint: 'Give more letters of the name, or the path; see `switchyard repo ls`.',
        },
  );
}

/** Takes a repository out of the database, with its runs, their tasks and journals. Part of a transaction that has looked at them. */
export async function deleteRepository(queries: Queries, id: string): Promise<void> {
  const runs = await queries.query<{ id: string }>('select id from run where repository = $1', [id]);
  await deleteRuns(
    queries,
    runs.map((run) => run.id),
  );
  await queries.query('delete from task_repository where repository = $1', [id]);
  await queries.query('delete from repository where id = $1', [id]);
}
