import { join } from 'node:path';
import type { Pruned } from '../api/schemas/server.ts';
import { SYSTEM } from '../domain/actor.ts';
import { formatBytes, formatDuration } from '../domain/units.ts';
import { event } from '../engine/engine.ts';
import { counted } from '../lib/counted.ts';
import { git, runGit } from '../lib/git/git.ts';
import { changeRefs, listRefs, packRefs } from '../lib/git/refs.ts';
import { isThere } from '../lib/is-there.ts';
import { namedCommits } from '../store/dump.ts';
import { putOut } from '../store/outbox.ts';
import { listRepositories } from '../store/repositories.ts';
import {
  deleteOldRows,
  deleteRun,
  deleteTranscript,
  discardedRuns,
  type EndedRun,
  endedOf,
  endedRuns,
  endedTranscripts,
  forgetTrash,
  oldRows,
} from '../store/retention.ts';
import { presentCommits, withHeld } from '../workspaces/bundle.ts';
import { runRef, salvageRef, trashRef } from '../workspaces/git-store.ts';
import { sourceOf } from '../workspaces/source-objects.ts';
import type { OperationContext } from './operations.ts';

type Item = Pruned['items'][number];
type Kept = 'trash' | 'transcripts' | 'runs' | 'workspaces';

/** For rows that nobody but the machinery reads. */
const ROWS_MS = 7 * 24 * 60 * 60_000;
/** What git has only just written may not have its ref yet. */
const YOUNGEST_MS = 14 * 24 * 60 * 60_000;

interface Pruning {
  readonly context: OperationContext;
  readonly dryRun: boolean;
  readonly now: number;
  readonly retention: Readonly<Record<Kept, number | 'never'>>;
  readonly signal: AbortSignal;
}

/**
 * Removes what has been kept for as long as the machine's owner wants it kept (`retention` in config.yaml), and says why it may go. What
 * could hold work that is nowhere else goes only where a period was set for it. The refs of the git stores, of which nothing is lost, are
 * packed. A dry run only looks. An abort ends it between two things.
 */
export async function prune(
  context: OperationContext,
  { dryRun, signal }: { dryRun: boolean; signal: AbortSignal },
): Promise<Pruned> {
  const { retention } = await context.machine();
  const pruning: Pruning = { context, dryRun, now: context.engine.clock.now(), retention, signal };
  const items: Item[] = [];
  for (const part of [pruneTrash, pruneRuns, pruneTranscripts, pruneWorkspaces, pruneBases, pruneRows]) {
    if (!signal.aborted) items.push(...(await part(pruning)));
  }
  if (!signal.aborted) items.push(...(await pruneObjects(pruning)));
  if (!dryRun) await packStores(context, signal);
  return { schema: 1, dryRun, items };
}

/** The moment before which something has to have ended; undefined where it is kept for ever. */
function before({ retention, now }: Pruning, kept: Kept): Date | undefined {
  const period = retention[kept];
  return period === 'never' ? undefined : new Date(now - period);
}

function reason({ retention }: Pruning, kept: Kept, { ended_at }: EndedRun): string {
  const period = retention[kept];
  const since = kept === 'trash' ? 'discarded' : 'ended';
  return `${since} on ${ended_at.toISOString().slice(0, 10)}, and retention.${kept} is ${period === 'never' ? period : formatDuration(period)}`;
}

async function pruneTrash(pruning: Pruning): Promise<Item[]> {
  const { context, dryRun } = pruning;
  const limit = before(pruning, 'trash');
  if (limit === undefined) return [];
  const items: Item[] = [];
  for (const run of await discardedRuns(context.engine.database, limit)) {
    const why = reason(pruning, 'trash', run);
    const text = `Its commits are gone for good: it was ${why}.`;
    const said = event(context.engine, SYSTEM, { kind: 'message', level: 'warning', text });
    const drop = () => dropRefs(context, run, [trashRef(run.id, ''), salvageRef(run.id, '')]);
    if (dryRun || (await forgetTrash(context.engine.database, run, { said, drop })))
      items.push({ kind: 'trash', what: `the commits of ${run.slug}`, why });
  }
  return items;
}

async function pruneRuns(pruning: Pruning): Promise<Item[]> {
  const { context, dryRun } = pruning;
  const limit = before(pruning, 'runs');
  if (limit === undefined) return [];
  const items: Item[] = [];
  for (const run of await endedRuns(context.engine.database, limit)) {
    const why = reason(pruning, 'runs', run);
    const drop = () => dropRefs(context, run, [runRef(run.id, ''), salvageRef(run.id, ''), trashRef(run.id, '')]);
    if (!dryRun) {
      if (!(await deleteRun(context.engine.database, run, { drop }))) continue;
      await context.host.workspaces.remove(run.id);
    }
    items.push({ kind: 'runs', what: `${run.slug} with its journal and commits`, why });
  }
  return items;
}

async function pruneTranscripts(pruning: Pruning): Promise<Item[]> {
  const { context, dryRun } = pruning;
  const limit = before(pruning, 'transcripts');
  if (limit === undefined) return [];
  const items: Item[] = [];
  for (const run of await endedTranscripts(context.engine.database, limit)) {
    const why = reason(pruning, 'transcripts', run);
    const text = `What its agents said is gone: it ${why}.`;
    const said = event(context.engine, SYSTEM, { kind: 'message', level: 'info', text });
    if (dryRun || (await deleteTranscript(context.engine.database, run, said)))
      items.push({ kind: 'transcripts', what: `what the agents of ${run.slug} said`, why });
  }
  return items;
}

/** Only of runs that are known: a folder of another database's run may be all that is left of it. */
async function pruneWorkspaces(pruning: Pruning): Promise<Item[]> {
  const { context, dryRun } = pruning;
  const limit = before(pruning, 'workspaces');
  if (limit === undefined) return [];
  const items: Item[] = [];
  for (const run of await endedOf(context.engine.database, await context.host.workspaces.list(), limit)) {
    // By whoever also begins steps here, so that none of them finds it half gone.
    if (!dryRun) {
      const id = `prune-${run.id}-${run.ended_at.getTime()}`;
      const at = new Date(context.engine.clock.now());
      const { worker } = context.host;
      await putOut(context.engine.database, { id, run: run.id, kind: 'remove-workspace', worker, at });
    }
    items.push({ kind: 'workspaces', what: `the workspace of ${run.slug}`, why: reason(pruning, 'workspaces', run) });
  }
  return items;
}

/** They are made again when they are wanted: nothing is lost with them. */
async function pruneBases({ context, dryRun }: Pruning): Promise<Item[]> {
  const gone = await context.host.workspaces.collectBases({ dryRun });
  return gone.map(({ repository, kind, bytes }) => ({
    kind: 'bases',
    what: `${kind === 'source' ? 'the files of a commit' : 'what setup had made'} in ${repository}, ${formatBytes(bytes)}`,
    why: 'no workspace lies over it, and there is a newer one',
  }));
}

async function pruneRows({ context, dryRun, now }: Pruning): Promise<Item[]> {
  const limit = new Date(now - ROWS_MS);
  const { effects, workers } = await oldRows(context.engine.database, limit);
  if (effects + workers === 0) return [];
  if (!dryRun) await deleteOldRows(context.engine.database, limit);
  const what = [
    ...(effects === 0 ? [] : [counted(effects, 'effect that is done', 'effects that are done')]),
    ...(workers === 0 ? [] : [counted(workers, 'worker that is gone', 'workers that are gone')]),
  ];
  return [{ kind: 'rows', what: what.join(' and '), why: 'notes of the machinery, older than a week' }];
}

/**
 * Objects in git stores that no ref and no row of the database reaches. Only where a period was set for runs or for the trash, and when
 * they are older than the shorter of the two and than two weeks.
 */
async function pruneObjects({ context, dryRun, now, retention, signal }: Pruning): Promise<Item[]> {
  const periods = [retention.trash, retention.runs].filter((period) => period !== 'never');
  if (periods.length === 0) return [];
  const age = Math.max(YOUNGEST_MS, Math.min(...periods));
  const named = await namedCommits(context.engine.database);
  const items: Item[] = [];
  for (const { id } of await listRepositories(context.engine.database)) {
    const store = storeOf(context, id);
    if (signal.aborted || !(await isThere(store))) continue;
    const commits = await presentCommits(store, named.get(id) ?? []);
    const count = await withHeld(store, commits, async () => {
      const found = await unreachableObjects(store, signal);
      if (found === 0 || dryRun) return found;
      const expiry = new Date(now - age).toISOString();
      await git(['gc', '--quiet', `--prune=${expiry}`], { gitDir: store, signal });
      return found - (await unreachableObjects(store, signal));
    });
    if (count === 0) continue;
    const why = `no run has them any more, and what is older than ${formatDuration(age)} may go`;
    const what = `${dryRun ? 'up to ' : ''}${counted(count, 'object')} in the git store of ${id}`;
    items.push({ kind: 'git', what, why });
  }
  return items;
}

async function packStores(context: OperationContext, signal: AbortSignal): Promise<void> {
  for (const { id } of await listRepositories(context.engine.database)) {
    const store = storeOf(context, id);
    if (signal.aborted) return;
    for (const gitDir of [store, sourceOf(store)]) if (await isThere(gitDir)) await packRefs(gitDir, signal);
  }
}

async function unreachableObjects(store: string, signal: AbortSignal): Promise<number> {
  const args = ['fsck', '--unreachable', '--connectivity-only', '--no-reflogs', '--no-progress'];
  const { stdout } = await runGit(args, { gitDir: store, signal });
  return stdout
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('unreachable ')).length;
}

async function dropRefs(
  context: OperationContext,
  { repository }: EndedRun,
  prefixes: readonly string[],
): Promise<void> {
  const store = storeOf(context, repository);
  if (!(await isThere(store))) return;
  const refs = (await Promise.all(prefixes.map((prefix) => listRefs(store, prefix)))).flat();
  await changeRefs(
    store,
    refs.map(({ ref, commit }) => ({ ref, to: null, from: commit })),
  );
}

const storeOf = ({ home }: OperationContext, repository: string) => join(home.repositories, `${repository}.git`);
