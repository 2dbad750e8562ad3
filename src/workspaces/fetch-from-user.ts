import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SwitchyardError } from '../lib/error.ts';
import { gitError, runGit } from '../lib/git/git.ts';
import { resolveCommit } from '../lib/git/refs.ts';
import { hasRef } from './source-objects.ts';

export interface UserRepository {
  readonly gitDir: string;
  readonly commonDir: string;
  readonly store: string;
  readonly signal: AbortSignal | undefined;
}

/** Says that a commit of the user's repository is all here, with its history: then nothing need be asked for it. */
export const fetchedRef = (commit: string): string => `refs/switchyard/fetched/${commit}`;

/** Brings a commit with its history from the user's repository into the store, and returns its id. */
export async function fetchFromUser(from: UserRepository, refOrSha: string): Promise<string> {
  if (FULL_ID.test(refOrSha) && (await hasRef(from.store, fetchedRef(refOrSha)))) return refOrSha;
  const commit = await resolveCommit(from.gitDir, refOrSha, 'user');
  if (commit === undefined) throw unknownCommit(refOrSha, from.commonDir);
  const ref = fetchedRef(commit);
  // Two processes may fetch the same commit at once; the one that comes second to the ref then finds it there.
  for (let attempt = 1; ; attempt++) {
    if (await hasRef(from.store, ref)) return commit;
    if (await isShallow(from.commonDir)) throw shallow(from.commonDir);
    const args = [...FETCH, from.commonDir, `${commit}:${ref}`];
    const result = await runGit(args, {
      gitDir: from.store,
      ...(from.signal === undefined ? {} : { signal: from.signal }),
    });
    if (result.code === 0) return commit;
    if (await isPartial(from.commonDir)) throw partial(from.commonDir, result.stderr);
    if (attempt === 3) throw gitError(args, result);
  }
}

const FULL_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

const FETCH = [
  'fetch',
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-auto-maintenance',
  '--no-recurse-submodules',
  "--upload-pack=git -c uploadpack.allowAnySHA1InWant=true -c 'safe.directory=*' upload-pack",
];

/** A cut history would cut the store's, and through it every workspace's: better none than one that misleads. */
async function isShallow(commonDir: string): Promise<boolean> {
  const file = await stat(join(commonDir, 'shallow')).catch(() => undefined);
  return file !== undefined && file.size > 0;
}

async function isPartial(commonDir: string): Promise<boolean> {
  const args = ['config', '--get-regexp', '^remote\\..*\\.promisor$', 'true'];
  return (await runGit(args, { gitDir: commonDir, flavour: 'user' })).code === 0;
}

function unknownCommit(refOrSha: string, repository: string): SwitchyardError {
  return new SwitchyardError({
    code: 'repository/unknown-commit',
    message: `${refOrSha} names no commit in ${repository}`,
    hint: 'See the branches with: git branch --all',
  });
}

function shallow(repository: string): SwitchyardError {
  return new SwitchyardError({
    code: 'repository/shallow',
    message: `${repository} is a shallow clone: part of its history is missing`,
    hint: 'Complete it first: git fetch --unshallow',
  });
}

function partial(repository: string, stderr: string): SwitchyardError {
  return new SwitchyardError({
    code: 'repository/partial',
    message: `${repository} is a partial clone, and objects that are needed are missing: ${stderr.trim().slice(-500)}`,
    hint: 'Complete it first: git fetch --refetch --no-filter',
  });
}
