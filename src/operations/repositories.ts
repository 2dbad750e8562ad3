import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ParsedRequestOf } from '../api/routes.ts';
import type { RepositoryAdded, RepositoryRemoval, RepositoryView } from '../api/schemas/repository.ts';
import { isEnded } from '../domain/run.ts';
import { SwitchyardError } from '../lib/error.ts';
import { diskUsage } from '../lib/exec/disk-usage.ts';
import { resolveCommit } from '../lib/git/refs.ts';
import { inspectRepository } from '../lib/git/repository.ts';
import type { Queries } from '../store/database.ts';
import {
  deleteRepository,
  type ListedRepository,
  listRepositories as listRows,
  resolveRepository,
  upsertRepository,
} from '../store/repositories.ts';
import type { RepositoryRow, RunRow } from '../store/rows.ts';
import type { OperationContext } from './operations.ts';
import { usableRepository } from './repository.ts';
import { whatWouldBeLost } from './unmerged.ts';

/** Every repository that runs have been started in, or that was added, with what it takes up. */
export async function listRepositories(context: OperationContext): Promise<RepositoryView[]> {
  const rows = await listRows(context.engine.database);
  return Promise.all(rows.map((row) => viewOf(context, row)));
}

/**
 * Makes a repository known. One that is known already and was moved, so that nothing is any more where it was, keeps its runs: it is
 * recognised by a commit that its runs began at, or named with `as`.
 */
export async function addRepository(
  context: OperationContext,
  { path, as }: ParsedRequestOf<'addRepository'>,
): Promise<RepositoryAdded> {
  const { database, clock } = context.engine;
  const { row, found } = await usableRepository(context, path);
  const known = await listRows(database);
  const isKnown = known.some(({ id }) => id === row.id);
  const moved = isKnown ? undefined : await movedHere(context, { known, as, gitDir: found.commonDir });
  const added = moved === undefined ? row : { ...row, id: moved.id };
  await upsertRepository(database, added, new Date(clock.now()));
  const listed = (await listRows(database)).find(({ id }) => id === added.id);
  if (listed === undefined) throw new Error(`repository ${added.id} was not stored`);
  return { schema: 1, repository: await viewOf(context, listed), from: moved?.path ?? null };
}

async function movedHere(
  { engine }: OperationContext,
  { known, as, gitDir }: { known: readonly ListedRepository[]; as: string | undefined; gitDir: string },
): Promise<RepositoryRow | undefined> {
  const gone: ListedRepository[] = [];
  for (const row of known) if (!(await isThere(row))) gone.push(row);
  if (as !== undefined) {
    const named = await resolveRepository(engine.database, as);
    if (gone.some(({ id }) => id === named.id)) return named;
    throw new SwitchyardError({
      code: 'repository/still-there',
      message: `${named.id} is still at ${named.path}.`,
      hint: 'Only a repository that is not there any more can be at another place.',
    });
  }
  const alike: RepositoryRow[] = [];
  for (const row of gone) {
    const [run] = await engine.database.query<Pick<RunRow, 'base_commit'>>(
      'select base_commit from run where repository = $1 limit 1',
      [row.id],
    );
    if (run !== undefined && (await resolveCommit(gitDir, run.base_commit, 'user')) !== undefined) alike.push(row);
  }
  if (alike.length < 2) return alike[0];
  throw new SwitchyardError({
    code: 'repository/ambiguous',
    message: `It could be any of ${alike.map(({ id, path }) => `${id} (${path})`).join(', ')}, which are not there any more.`,
    hint: 'Say which: `switchyard repo add PATH --as NAME`.',
  });
}

/**
 * Takes a repository out of this home, with its runs, their journals, its git store and workspaces; the person's repository itself is not
 * touched. Without `yes` it only says what would go, unless there is nothing. Refuses while a run is at work, and with
 * `repository/unmerged` as long as a run whose work is nowhere else is not named in `discardUnmerged`.
 */
export async function removeRepository(
  context: OperationContext,
  { name, yes, discardUnmerged }: ParsedRequestOf<'removeRepository'>,
): Promise<RepositoryRemoval> {
  const { database } = context.engine;
  const row = await resolveRepository(database, name);
  const here = (await isThere(row)) ? (row.common_dir ?? undefined) : undefined;
  const runs = await runsOf(database, row.id);
  const judged = await Promise.all(runs.map(async (run) => ({ run, lost: await whatWouldBeLost(run, here) })));
  const own = (await context.secrets.list()).filter(({ repository }) => repository === row.id);
  const removal = {
    schema: 1 as const,
    repository: row.id,
    path: row.path,
    runs: judged.map(({ run: { id, slug, state }, lost }) => ({ id, slug, state: state.kind, lost: lost ?? null })),
    secrets: own.map(({ name }) => name),
  };
  if (runs.length + own.length > 0 && !yes) return { ...removal, removed: false };
  refuseWorking(row, runs);
  refuseUnmerged(judged, discardUnmerged);
  await database.transaction(async (queries) => {
    // Nobody goes on with a run of it or starts one meanwhile, and none is as it was not when it was looked at.
    await queries.query('select 1 from run where repository = $1 order by id for update', [row.id]);
    await queries.query('select 1 from repository where id = $1 for update', [row.id]);
    const now = await runsOf(queries, row.id);
    if (JSON.stringify(now) !== JSON.stringify(runs)) throw changed(row);
    await deleteRepository(queries, row.id);
  });
  await removeFiles(
    context,
    row,
    runs.map(({ id }) => id),
  );
  for (const secret of own) await context.secrets.remove(secret);
  return { ...removal, removed: true };
}

async function runsOf(queries: Queries, repository: string): Promise<RunRow[]> {
  return queries.query<RunRow>('select * from run where repository = $1 order by created_at, id', [repository]);
}

function changed({ id }: RepositoryRow): SwitchyardError {
  return new SwitchyardError({
    code: 'repository/working',
    message: `Something has happened in the runs of ${id} meanwhile.`,
    hint: 'Look again: `switchyard ls --all`.',
  });
}

function refuseWorking({ id }: RepositoryRow, runs: readonly RunRow[]): void {
  const working = runs.filter(
    ({ state, opening }) => !isEnded(state.kind) && (state.kind !== 'parked' || opening !== null),
  );
  if (working.length === 0) return;
  throw new SwitchyardError({
    code: 'repository/working',
    message: `Runs of ${id} are at work: ${working.map(({ slug }) => slug).join(', ')}.`,
    hint: 'Cancel them first: `switchyard cancel RUN`.',
  });
}

function refuseUnmerged(judged: readonly { run: RunRow; lost: string | undefined }[], named: readonly string[]): void {
  const left = judged.filter(
    ({ run, lost }) => lost !== undefined && !named.includes(run.slug) && !named.includes(run.id),
  );
  if (left.length === 0) return;
  const which = left.map(({ run, lost }) => `${run.slug} (${lost ?? ''})`).join(', ');
  throw new SwitchyardError({
    code: 'repository/unmerged',
    message: `The work of these runs would be lost: ${which}.`,
    hint: `Merge them or check them out; or give their work up by name: ${left.map(({ run }) => `--discard-unmerged ${run.slug}`).join(' ')}`,
  });
}

/** A death in the middle leaves files that nothing names any more. */
async function removeFiles(
  { host, home }: OperationContext,
  row: RepositoryRow,
  runs: readonly string[],
): Promise<void> {
  for (const run of runs) await host.workspaces.remove(run);
  await rm(join(home.repositories, `${row.id}.git`), { recursive: true, force: true, maxRetries: 5 });
}

async function viewOf({ home, engine }: OperationContext, row: ListedRepository): Promise<RepositoryView> {
  const runs = await engine.database.query<{ id: string }>('select id from run where repository = $1', [row.id]);
  const [store, workspaces] = await Promise.all([
    diskUsage([join(home.repositories, `${row.id}.git`)]),
    diskUsage(runs.map(({ id }) => join(home.workspaces, id))),
  ]);
  return {
    id: row.id,
    path: row.path,
    missing: !(await isThere(row)),
    runs: row.runs,
    bytes: { store: store ?? null, workspaces: workspaces ?? null },
  };
}

/** Whether that very repository is where it was seen last. */
async function isThere({ path, common_dir }: RepositoryRow): Promise<boolean> {
  const found = await inspectRepository(path).catch(() => undefined);
  return found !== undefined && (common_dir == null || found.commonDir === common_dir);
}
