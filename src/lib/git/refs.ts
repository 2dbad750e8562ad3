import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitFlavour } from './environment.ts';
import { git, gitError, runGit } from './git.ts';

export interface Ref {
  readonly ref: string;
  readonly commit: string;
}

/** One change of a ref; `from` is what has to be there (null: nothing, undefined: whatever). */
export interface RefChange {
  readonly ref: string;
  /** Null deletes the ref. */
  readonly to: string | null;
  readonly from?: string | null;
}

/** What the ref points to, undefined when it does not exist. */
export async function readRef(
  gitDir: string,
  ref: string,
  flavour: GitFlavour = 'harness',
): Promise<string | undefined> {
  const loose = await readLooseRef(gitDir, ref);
  if (loose !== undefined) return loose;
  const { code, stdout } = await runGit(['show-ref', '--verify', '--hash', ref], { gitDir, flavour });
  return code === 0 ? stdout.toString().trim() : undefined;
}

/**
 * Compare-and-set of one ref, without hooks. False when the ref was not where `from` says; already at `to` is true.
 * `message` goes to the reflog.
 */
export async function changeRef(
  gitDir: string,
  change: RefChange,
  { flavour = 'harness', message }: { flavour?: GitFlavour; message?: string } = {},
): Promise<boolean> {
  const { ref, to, from } = change;
  const args = updateOf(change, message);
  const result = await runGit(args, { gitDir, flavour });
  if (result.code === 0) return true;
  const actual = (await readRef(gitDir, ref, flavour)) ?? null;
  if (actual === to) return true;
  if (from === undefined || actual === from) throw gitError(args, result);
  return false;
}

function updateOf({ ref, to, from }: RefChange, message?: string): string[] {
  const old = from === undefined ? [] : [from ?? ''];
  const log = message === undefined ? [] : ['-m', message];
  return ['update-ref', ...log, ...(to === null ? ['-d', ref] : [ref, to]), ...old];
}

/** All changes or none. */
export async function changeRefs(gitDir: string, changes: readonly RefChange[]): Promise<void> {
  if (changes.length === 0) return;
  const [only] = changes;
  if (changes.length === 1 && only !== undefined) {
    await git(updateOf(only), { gitDir });
    return;
  }
  const input = changes.map(({ ref, to, from }) => {
    if (to === null) return `delete ${ref}\0${from ?? ''}\0`;
    if (from === null) return `create ${ref}\0${to}\0`;
    return `update ${ref}\0${to}\0${from ?? ''}\0`;
  });
  await git(['update-ref', '--stdin', '-z'], { gitDir, input: input.join('') });
}

/** The refs below a prefix that ends with `/`, sorted by name. */
export async function listRefs(gitDir: string, prefix: string): Promise<Ref[]> {
  const output = await git(['for-each-ref', '--format=%(objectname) %(refname)', prefix], { gitDir });
  const lines = output
    .toString()
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => ({ commit: line.slice(0, line.indexOf(' ')), ref: line.slice(line.indexOf(' ') + 1) }));
}

/** Puts all refs into one file: thousands of small ones make everything slow that looks at many. Those that change meanwhile stay as they are. */
export async function packRefs(gitDir: string, signal: AbortSignal): Promise<void> {
  await git(['pack-refs', '--all'], { gitDir, signal });
}

/** The commit that a revision names, undefined when it names none. */
export async function resolveCommit(
  gitDir: string,
  revision: string,
  flavour: GitFlavour = 'harness',
): Promise<string | undefined> {
  // What these refs name is always a commit.
  const loose = /^refs\/(heads|switchyard)\//.test(revision) ? await readLooseRef(gitDir, revision) : undefined;
  if (loose !== undefined) return loose;
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  const { code, stdout } = await runGit(args, { gitDir, flavour });
  return code === 0 ? stdout.toString().trim() : undefined;
}

/** Refs that have changed lately have files of their own, which count for more than the file of all others: reading one saves a process. */
async function readLooseRef(gitDir: string, ref: string): Promise<string | undefined> {
  if (!/^refs(\/[^/^~:?*[\\\s.@]+(\.[^/^~:?*[\\\s.@]+)*)+$/.test(ref)) return undefined;
  const text = await readFile(join(gitDir, ref), 'latin1').catch(() => '');
  return /^([0-9a-f]{40}|[0-9a-f]{64})\n$/.test(text) ? text.trimEnd() : undefined;
}
