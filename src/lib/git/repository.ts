import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SwitchyardError } from '../error.ts';
import { type GitOptions, type GitResult, git, gitLine, runGit, splitNul } from './git.ts';
import { resolveCommit } from './refs.ts';

/** A person's repository as found at a path. Looking writes nothing there and runs nothing of its. */
export interface Repository {
  /** The checkout that the path lies in; undefined in a bare repository and within a git directory. */
  readonly toplevel: string | undefined;
  readonly gitDir: string;
  /** Shared by all worktrees; the same as `gitDir` in the main one. */
  readonly commonDir: string;
  readonly bare: boolean;
  /** There is not a single commit. */
  readonly empty: boolean;
  /** The history is cut off. */
  readonly shallow: boolean;
  readonly objectFormat: string;
  /** The commit of HEAD, undefined before a branch's first commit. */
  readonly head: string | undefined;
  /** The branch that is checked out, undefined when HEAD is detached. */
  readonly branch: string | undefined;
}

export interface Worktree {
  readonly path: string;
  /** Undefined when detached or bare. */
  readonly branch: string | undefined;
  readonly bare: boolean;
}

/**
 * What is at the path, undefined when it is no repository. `repository/not-trusted` when git refuses to look because the files
 * belong to someone else.
 */
export async function inspectRepository(path: string): Promise<Repository | undefined> {
  const options: GitOptions = { flavour: 'user' };
  const at = ['-C', resolve(path)];
  const all = await runGit([...at, ...FACTS, ...DIRECTORIES, ...HEAD], options);
  // Without a commit the last of it is not to be had.
  const result = all.code === 0 ? all : await runGit([...at, ...FACTS, ...DIRECTORIES], options);
  if (result.code !== 0) return notFound(at, result);
  const lines = result.stdout.toString().split('\n');
  const [bare, inside, shallow, objectFormat, up] = lines;
  const isWhole = lines.length === (all.code === 0 ? 10 : 8);
  const [gitDir, commonDir] = isWhole ? [lines[5] ?? '', lines[6] ?? ''] : await directories(at, options);
  const { head, ref } =
    all.code === 0 && isWhole ? { head: lines[7], ref: lines[8] ?? '' } : await headOf(gitDir, options);
  return {
    toplevel: inside === 'true' ? resolve(await realpath(resolve(path)), up ?? '') : undefined,
    gitDir,
    commonDir: await realpath(commonDir),
    bare: bare === 'true',
    empty:
      head === undefined && (await git(['rev-list', '--max-count=1', '--all'], { ...options, gitDir })).length === 0,
    shallow: shallow === 'true',
    objectFormat: objectFormat ?? 'sha1',
    head,
    branch: shortBranch(ref),
  };
}

const FACTS = [
  'rev-parse',
  '--path-format=absolute',
  '--is-bare-repository',
  '--is-inside-work-tree',
  '--is-shallow-repository',
  '--show-object-format',
  '--show-cdup',
];
const DIRECTORIES = ['--git-dir', '--git-common-dir'];
/** Its commit, then the branch that it is on. */
const HEAD = ['HEAD', '--symbolic-full-name', 'HEAD'];

/** One path per call, for those that hold line ends. */
async function directories(at: string[], options: GitOptions): Promise<[string, string]> {
  const ask = (which: string): Promise<string> =>
    gitLine([...at, 'rev-parse', '--path-format=absolute', which], options);
  return [await ask('--git-dir'), await ask('--git-common-dir')];
}

async function headOf(gitDir: string, options: GitOptions): Promise<{ head: string | undefined; ref: string }> {
  const [head, branch] = await Promise.all([
    resolveCommit(gitDir, 'HEAD', 'user'),
    runGit(['symbolic-ref', '--quiet', 'HEAD'], { ...options, gitDir }),
  ]);
  return { head, ref: branch.stdout.toString().trim() };
}

async function notFound(at: string[], refused: GitResult): Promise<undefined> {
  const anyone = await runGit([...at, 'rev-parse', '--git-dir'], {
    flavour: 'user',
    config: { 'safe.directory': '*' },
  });
  if (anyone.code !== 0) return undefined;
  throw new SwitchyardError({
    code: 'repository/not-trusted',
    message: `git refuses to look at ${at[1]}: ${refused.stderr.trim()}`,
    hint: `If you trust it: git config --global --add safe.directory ${at[1]}`,
  });
}

/** All worktrees of the repository, the main one (or the bare repository) first; those whose folder is gone are still named. */
export async function listWorktrees(commonDir: string): Promise<Worktree[]> {
  const output = await git(['worktree', 'list', '--porcelain', '-z'], { flavour: 'user', gitDir: commonDir });
  const found: Worktree[] = [];
  for (const record of output.toString().split('\0\0')) {
    const lines = record.split('\0');
    const path = lines.find((line) => line.startsWith('worktree '))?.slice('worktree '.length);
    if (path === undefined) continue;
    const branch = lines.find((line) => line.startsWith('branch '))?.slice('branch '.length);
    found.push({ path, branch: shortBranch(branch ?? ''), bare: lines.includes('bare') });
  }
  return found;
}

/** Paths of a checkout that differ from its HEAD or are untracked (and not ignored), sorted, each once. */
export async function dirtyFiles(toplevel: string): Promise<string[]> {
  const args = ['status', '--porcelain=v1', '-z', '--untracked-files=all', '--no-renames', '--ignore-submodules=none'];
  const entries = splitNul(await git(['-C', toplevel, ...args], { flavour: 'user' }));
  // One that is deleted in the index and lies in the folder is there as both.
  return [...new Set(entries.map((entry) => entry.slice(3)))].sort();
}

/** Who the person is to git in this repository; parts that are not configured are left out. */
export async function userIdentity(path: string): Promise<{ name?: string; email?: string }> {
  const args = ['config', '-z', '--get-regexp', '^(user|author)\\.(name|email)$'];
  const { stdout } = await runGit(['-C', resolve(path), ...args], { flavour: 'user' });
  const values = new Map(
    splitNul(stdout).map((entry) => [entry.split('\n', 1)[0], entry.slice(entry.indexOf('\n') + 1)]),
  );
  const name = values.get('author.name') ?? values.get('user.name');
  const email = values.get('author.email') ?? values.get('user.email');
  return { ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email }) };
}

function shortBranch(ref: string): string | undefined {
  return ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined;
}
