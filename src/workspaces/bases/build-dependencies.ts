import { lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { between, type CrashPoint } from '../../lib/crash-point.ts';
import { runOwn } from '../../lib/exec/own-program.ts';
import { makeScratchFolder } from '../../lib/scratch-folder.ts';
import type { Sandbox } from '../../ports/sandbox.ts';
import { checkOut } from '../check-out.ts';
import { formatOf, replaceAgentGit, writeHarnessGit } from '../git-folders.ts';
import { type Layout, workspaceLayout } from '../layout.ts';
import { readable } from '../raw-differences.ts';
import { runScriptOrThrow } from '../sandboxed.ts';
import { runSetup, type Setup } from '../setup.ts';
import { makeShownObjects } from '../shown-objects.ts';
import { type Head, SWITCHYARD } from '../site.ts';
import { sourceObjects } from '../source-objects.ts';
import { publish } from './build-source.ts';
import { type Base, DRAFT, dependenciesName, writeRecord } from './records.ts';

/** Walls for a throw-away workspace, and what setup runs in them. */
export interface Enclosed extends AsyncDisposable {
  /** As `OpenRequest.sandbox`. */
  readonly sandbox: Sandbox;
  readonly setup: Setup;
}

export interface BuildDependencies {
  /** The repository's folder among the bases; it exists. */
  readonly folder: string;
  /** The path of the git store. */
  readonly store: string;
  readonly key: string;
  /** A commit of the person's: whatever it holds, setup runs it. */
  readonly head: Head;
  /** Makes walls for a throw-away workspace at a layout, which goes when this is over. */
  enclose(layout: Layout): Promise<Enclosed>;
  /** Where programs of a run find its checkout: what setup made must find itself there. */
  readonly inside: string;
  readonly quiet: boolean;
  readonly crashPoint: CrashPoint;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** A base, or why there can be none: a sentence for a person. */
export type BuiltDependencies = Base<'dependencies'> | { readonly refused: string };

/**
 * Runs setup on the committed files of a commit and nothing else, in a workspace of its own, and keeps what it made of ignored files. No
 * run has ever been there, so nothing that one wrote can be in it. Rejects as `runSetup` does; a death leaves a draft.
 */
export async function buildDependencies(parts: BuildDependencies): Promise<BuiltDependencies> {
  const { folder, store, head, key, quiet, now, signal } = parts;
  await using draft = await makeScratchFolder(join(folder, DRAFT));
  const layout = workspaceLayout(draft.path, 'workspace');
  for (const own of [layout.tree, layout.homes, layout.home, layout.tmp])
    await mkdir(own, { recursive: true, mode: 0o700 });
  writeHarnessGit(layout.git, store, formatOf(head.commit));
  await checkOut({ gitDir: layout.git, folder: layout.tree, commit: head.commit, signal });
  const identity = { name: SWITCHYARD.name, email: SWITCHYARD.email };
  makeShownObjects(layout.objects);
  const objects = [sourceObjects(store), layout.objects];
  const agent = { objects, branch: 'switchyard/setup', head: head.commit, base: head.commit, identity };
  await replaceAgentGit(layout.tree, layout.git, agent);
  await using enclosed = await parts.enclose(layout);
  const { sandbox, setup } = enclosed;
  const begun = now();
  await between(parts.crashPoint, 'setup', () =>
    runSetup(quiet ? { ...setup, command: quietly(setup.command) } : setup, { sandbox, tree: layout.tree, signal }),
  );
  const setupMs = Math.max(0, now() - begun);
  const made = await look({ layout, sandbox });
  if ('refused' in made) return made;
  const inside = (setup.sandbox ?? sandbox).inside(layout.tree);
  if (inside !== parts.inside && (await namesPath(layout, [inside, draft.path])))
    return { refused: 'Setup wrote down in which folder it ran, so what it made cannot be used in another one' };
  const base = join(draft.path, 'base');
  await harvest(layout.tree, join(base, 'files'), made.ignored);
  await rename(layout.home, join(base, 'home'));
  const [files, home] = [await measure(join(base, 'files')), await measure(join(base, 'home'))];
  const sum = { files: files.files + home.files, bytes: files.bytes + home.bytes };
  const record = {
    version: 1,
    kind: 'dependencies',
    key,
    commit: head.commit,
    hasHome: home.files > 0,
    setupMs,
    ...sum,
  } as const;
  await writeRecord(base, { ...record, madeAt: now() });
  signal.throwIfAborted();
  return (await publish(base, folder, dependenciesName(key))) as Base<'dependencies'>;
}

function quietly(command: string): string {
  return `command -v renice >/dev/null 2>&1 && renice -n 10 -p $$ >/dev/null 2>&1\n${command}`;
}

/** What setup did to the files: `ignored` paths that it made (whole folders end with a slash), as bytes, or why they cannot be shared. */
async function look(site: { layout: Layout; sandbox: Sandbox }): Promise<{ ignored: string[] } | { refused: string }> {
  const { stdout } = await runScriptOrThrow(site, { name: 'setup-made', text: MADE });
  const [changed = '', untracked = '', ignored = ''] = stdout.toString('latin1').split('//\0', 3);
  const first = (paths: string): string => readable(paths.slice(0, paths.indexOf('\0')));
  if (changed !== '') return { refused: `Setup changes files that are committed, such as ${first(changed)}` };
  if (untracked !== '')
    return { refused: `Setup leaves files that the repository does not ignore, such as ${first(untracked)}` };
  return { ignored: ignored.split('\0').filter((path) => path !== '') };
}

/** Changed tracked files, `//`, untracked ones, `//`, ignored ones. No path begins with a slash. */
const MADE = `
git update-index -q --refresh
git diff-files -z --name-only --ignore-submodules || exit 1
printf '//\\0'
git ls-files -z --others --exclude-standard --directory --no-empty-directory || exit 1
printf '//\\0'
git ls-files -z --others --ignored --exclude-standard --directory`;

/** Moves paths from one folder to the same places in another. Nothing is followed: what lies below a link stays where it is. */
async function harvest(from: string, to: string, paths: readonly string[]): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const path of paths) {
    const names = path.split('/').filter((name) => name !== '');
    if (names.length === 0 || names.includes('..') || names.includes('.') || names.includes('.git')) continue;
    if (!(await hasRealParents(from, names))) continue;
    const at = bytes(names.join('/'));
    const target = Buffer.concat([Buffer.from(`${to}/`), at]);
    await mkdir(bytesDirname(target), { recursive: true });
    await rename(Buffer.concat([Buffer.from(`${from}/`), at]), target);
  }
}

async function hasRealParents(root: string, names: readonly string[]): Promise<boolean> {
  for (let n = 1; n < names.length; n += 1) {
    const parent = Buffer.concat([Buffer.from(`${root}/`), bytes(names.slice(0, n).join('/'))]);
    if (!(await lstat(parent).catch(() => undefined))?.isDirectory()) return false;
  }
  return true;
}

const bytes = (path: string): Buffer => Buffer.from(path, 'latin1');

function bytesDirname(path: Buffer): Buffer {
  return path.subarray(0, path.lastIndexOf('/'));
}

/** Whether a file that setup left holds one of the paths. Links that hold one count as well. */
async function namesPath({ tree, home }: Layout, paths: readonly string[]): Promise<boolean> {
  const words = paths.flatMap((path) => ['-e', path]);
  const { code } = await runOwn('grep', ['-rqF', '--exclude-dir=.git', ...words, '--', tree, home]);
  if (code !== 1) return true; // found, or some could not be read: then nobody knows
  for (const path of paths) {
    const { stdout } = await runOwn('find', [tree, home, '-type', 'l', '-lname', `*${path}*`, '-print', '-quit']);
    if (stdout.length > 0) return true;
  }
  return false;
}

/** How many files there are, and their size. */
async function measure(folder: string): Promise<{ files: number; bytes: number }> {
  const sum = { files: 0, bytes: 0 };
  const folders = [Buffer.from(folder)];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const entry of await readdir(at, { encoding: 'buffer', withFileTypes: true })) {
      const path = Buffer.concat([at, Buffer.from('/'), entry.name]);
      if (entry.isDirectory()) {
        folders.push(path);
      } else {
        sum.files += 1;
        sum.bytes += (await lstat(path)).size;
      }
    }
  }
  return sum;
}
