import type { ParsedRequestOf } from '../api/routes.ts';
import type { CheckedOut } from '../api/schemas/act.ts';
import { rememberPublished } from '../engine/published.ts';
import { SwitchyardError } from '../lib/error.ts';
import { isAncestor } from '../lib/git/commits.ts';
import { runGit } from '../lib/git/git.ts';
import { inspectRepository } from '../lib/git/repository.ts';
import type { Forge, PersonCheckouts, SwitchResult } from '../ports/forge.ts';
import { getRepository } from '../store/repositories.ts';
import type { RepositoryRow, RunRow } from '../store/rows.ts';
import { resolveRun } from '../store/runs.ts';
import type { GitStore } from '../workspaces/git-store.ts';
import type { OperationContext } from './operations.ts';

type Request = ParsedRequestOf<'checkoutRun'>;

/**
 * The run's head on a branch in the person's repository, checked out in the checkout that they stand in, or in a worktree of its own.
 * Refuses with `checkout/…` where something of theirs is in the way; then nothing of theirs has changed but, perhaps, the run's branch.
 */
export async function checkoutRun(context: OperationContext, reference: string, request: Request): Promise<CheckedOut> {
  const run = await resolveRun(context.engine.database, reference);
  if (run.state.kind === 'discarded') throw discarded(run);
  const repository = await getRepository(context.engine.database, run.repository);
  const store = await context.host.openStore(repository);
  const forge = context.host.forge(repository, store);
  const { checkouts } = forge;
  if (checkouts === undefined) throw notHere(repository);
  const folder = request.worktree ?? (await checkoutOf(store, repository, request.folder));
  const { branch, commit, notes } =
    request.branch === undefined
      ? await publishRun(context, { run, store, forge })
      : await publishAs(request.branch, { run, store, forge });
  const result = await place(checkouts, { folder, branch, isNew: request.worktree !== undefined });
  refuse(result, { branch, folder, isNew: request.worktree !== undefined });
  return { schema: 1, run: run.id, branch, commit, folder, notes: [...notes, ...atWork(run)] };
}

interface Publishing {
  readonly run: RunRow;
  readonly store: GitStore;
  readonly forge: Forge;
}

interface Published {
  readonly branch: string;
  readonly commit: string;
  readonly notes: readonly string[];
}

/** Puts the run's head on its own branch, as a delivery does; commits that the person has made on top of it stay. */
async function publishRun(context: OperationContext, { run, store, forge }: Publishing): Promise<Published> {
  const branch = `switchyard/${run.slug}`;
  const actual = await forge.branch(branch);
  if (actual !== undefined && actual !== run.head) {
    await store.fetchCommit(actual);
    if (await isAncestor(store.path, run.head, actual))
      return { branch, commit: actual, notes: [`${branch} has commits on top of the run's head; they stay.`] };
    if (!(await isAncestor(store.path, actual, run.head)) && actual !== run.delivered) throw branchMoved(run, actual);
  }
  const published = await forge.publish({ branch, commit: run.head, expected: actual });
  if (published.kind === 'moved') throw branchMoved(run, published.actual);
  await rememberPublished(context.engine, run.id, { commit: run.head, before: run.delivered });
  return { branch, commit: run.head, notes: [] };
}

/** Puts the run's head on a branch that the person names, which is theirs from then on. */
async function publishAs(branch: string, { run, forge }: Publishing): Promise<Published> {
  if ((await runGit(['check-ref-format', '--branch', branch])).code !== 0) throw badName(branch);
  const actual = await forge.branch(branch);
  if (actual !== undefined && actual !== run.head) throw branchTaken(branch, actual);
  const published = await forge.publish({ branch, commit: run.head, expected: undefined });
  if (published.kind === 'moved') throw branchTaken(branch, published.actual);
  return { branch, commit: run.head, notes: [] };
}

interface Placing {
  readonly folder: string;
  readonly branch: string;
  /** A worktree that is to be made. */
  readonly isNew: boolean;
}

async function place(checkouts: PersonCheckouts, { folder, branch, isNew }: Placing): Promise<SwitchResult> {
  return isNew ? checkouts.add({ folder, branch }) : checkouts.switchTo({ folder, branch });
}

/** The checkout of the run's repository that the folder lies in. */
async function checkoutOf(store: GitStore, repository: RepositoryRow, folder: string): Promise<string> {
  const found = await inspectRepository(folder);
  if (found?.commonDir === store.repository && found.toplevel !== undefined) return found.toplevel;
  throw new SwitchyardError({
    code: 'checkout/not-here',
    message: `${folder} is no checkout of ${repository.path}, where the run belongs.`,
    hint: `Go there first, or have a checkout of its own made: --worktree PATH.`,
  });
}

function atWork(run: RunRow): string[] {
  const unchanged = run.head === run.base_commit ? ['The run has changed nothing yet.'] : [];
  if (run.state.kind !== 'running' && run.state.kind !== 'queued') return unchanged;
  return [
    ...unchanged,
    'The run is still at work: this is its state after its latest ended step, without what the present one has done.',
  ];
}

function refuse(result: SwitchResult, { branch, folder, isNew }: Placing): void {
  if (result.kind === 'switched') return;
  if (result.kind === 'elsewhere') {
    throw new SwitchyardError({
      code: 'checkout/elsewhere',
      message: `${branch} is checked out in ${result.folder} already.`,
      hint: `Go there: cd ${result.folder}`,
    });
  }
  throw new SwitchyardError(
    isNew
      ? {
          code: 'checkout/path-taken',
          message: `There is something at ${folder} already.`,
          hint: 'Name a path where nothing is, or an empty folder.',
        }
      : {
          code: 'checkout/dirty',
          message:
            result.advice === undefined
              ? `In ${folder} these files are in the way of ${branch}: ${result.files.join(', ')}.`
              : `${branch} cannot be checked out in ${folder}, where ${result.advice}.`,
          hint: `${result.advice === undefined ? 'Commit or stash them' : 'Do that'} first, or have a checkout of its own made: --worktree PATH.`,
        },
  );
}

function discarded(run: RunRow): SwitchyardError {
  return new SwitchyardError({
    code: 'checkout/discarded',
    message: `Run ${run.slug} is discarded.`,
    hint: `Bring it back first: \`switchyard restore ${run.slug}\`.`,
  });
}

function branchMoved(run: RunRow, actual: string | undefined): SwitchyardError {
  return new SwitchyardError({
    code: 'checkout/branch-moved',
    message: `switchyard/${run.slug} is at ${actual?.slice(0, 12) ?? 'nothing'} in the repository: somebody else has moved it.`,
    hint: 'It is left as it is; give the work a branch of another name: --branch NAME.',
  });
}

function badName(branch: string): SwitchyardError {
  return new SwitchyardError({
    code: 'request/invalid',
    message: `${JSON.stringify(branch)} cannot name a branch.`,
    hint: 'Names are as for `git branch`.',
  });
}

function branchTaken(branch: string, actual: string | undefined): SwitchyardError {
  return new SwitchyardError({
    code: 'checkout/branch-taken',
    message: `There is a branch ${branch} already, at ${actual?.slice(0, 12) ?? 'nothing'}.`,
    hint: 'It is left as it is; choose another name.',
  });
}

function notHere(repository: RepositoryRow): SwitchyardError {
  return new SwitchyardError({
    code: 'checkout/not-here',
    message: `${repository.path} is not on this machine.`,
    hint: 'Fetch the branch from where it is delivered.',
  });
}
