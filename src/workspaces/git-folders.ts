import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fstatSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SwitchyardError } from '../lib/error.ts';
import { removeTrees } from '../lib/remove-trees.ts';
import type { CommitIdentity } from '../ports/workspace.ts';
import { lfsFiles, lfsSettings } from './lfs/filter.ts';
import { SPARSE_SETTINGS, sparsePatterns } from './sparse.ts';
import { IDLE_GIT } from './tree-scripts.ts';

/**
 * Git directories written file by file: a process of git for each would cost more than all of them together, and so would waiting
 * for each of the small files in turn. They are written at once, in a millisecond or two.
 */

/** The harness's own, beside the checkout: an index, and objects on their way to the store, whose objects it sees. */
export function writeHarnessGit(folder: string, store: string, objectFormat: string, sparse?: readonly string[]): void {
  mkdirSync(join(folder, 'exact'), { recursive: true, mode: 0o700 });
  const files = { HEAD: 'ref: refs/heads/none\n', config: configText(objectFormat, []) };
  const settings = [...lfsSettings(folder, { required: true }), ...(sparse === undefined ? [] : SPARSE_SETTINGS)];
  const own = {
    ...files,
    ...lfsFiles(folder, store),
    ...(sparse === undefined ? {} : { 'info/sparse-checkout': sparsePatterns(sparse) }),
    config: configText(objectFormat, settings),
    'objects/info/alternates': alternatesText([join(store, 'objects')]),
    'info/exclude': '',
  };
  writeTree(folder, own, ['refs']);
  mkdirSync(join(folder, 'idle'), { recursive: true });
  writeFileSync(join(folder, 'idle/git'), IDLE_GIT, { mode: 0o755 });
  // For what has to come back byte by byte: the same objects, but no attribute of the checkout counts.
  writeTree(join(folder, 'exact'), { ...files, 'info/attributes': '* -text -ident -filter !working-tree-encoding\n' }, [
    'refs',
  ]);
}

/** How the agent's git directory is to be. */
export interface AgentGit {
  /** Folders of objects that it borrows from. */
  readonly objects: readonly string[];
  readonly branch: string;
  readonly head: string;
  readonly base: string;
  readonly identity: CommitIdentity;
  /** The only folders that the checkout has. */
  readonly sparse?: readonly string[] | undefined;
}

/** The files of the agent's git directory that say where its branches stand and what git there is to do, by path. */
export function agentGitFiles({ objects, branch, head, base, identity, sparse }: AgentGit): Record<string, string> {
  if (
    !/^switchyard\/[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*$/u.test(branch) ||
    branch.includes('..') ||
    branch.endsWith('.lock')
  ) {
    throw new SwitchyardError({
      code: 'workspace/bad-slug',
      message: `${JSON.stringify(branch)} cannot name a branch.`,
      hint: 'Slugs hold letters, digits, dash, dot and underscore only.',
    });
  }
  return {
    HEAD: `ref: refs/heads/${branch}\n`,
    config: configText(formatOf(head), [
      ['user', 'name', identity.name],
      ['user', 'email', identity.email],
      ['gc', 'auto', '0'],
      ['maintenance', 'auto', 'false'],
      ...lfsSettings('.git', { required: false }),
      ...(sparse === undefined ? [] : SPARSE_SETTINGS),
    ]),
    ...lfsFiles('.git', '.git'),
    ...(sparse === undefined ? {} : { 'info/sparse-checkout': sparsePatterns(sparse) }),
    'objects/info/alternates': alternatesText(objects),
    'packed-refs': `# pack-refs with: peeled fully-peeled sorted \n${head} refs/heads/${branch}\n${base} refs/switchyard/base\n`,
  };
}

/** Where a git directory lies on its way into the checkout and out of it. */
const DRAFTS = { next: '.switchyard-next', last: '.switchyard-last' } as const;

/**
 * Puts a new git directory for the agent into the checkout, in place of whatever is there. `harness` is the harness's git directory, whose
 * index and exclusions it shares. It is made within the checkout, which may be a file system of its own; whoever writes there at the same
 * time can spoil it, and cannot have anything written elsewhere.
 */
export async function replaceAgentGit(tree: string, harness: string, agent: AgentGit): Promise<void> {
  await dropDrafts(tree);
  const [next, last, git] = [join(tree, DRAFTS.next), join(tree, DRAFTS.last), join(tree, '.git')];
  mkdirSync(next, { mode: 0o700 });
  within(next, (at) => {
    writeTree(at, agentGitFiles(agent), ['refs', 'info']);
    within(join(at, 'info'), (info) => copyOwn(harness, 'info/exclude', join(info, 'exclude')));
    copyIndex(harness, join(at, 'index'));
  });
  const replaces = lstatSync(git, { throwIfNoEntry: false }) !== undefined;
  if (replaces) renameSync(git, last);
  renameSync(next, git);
  if (replaces) await dropDrafts(tree);
}

/** Removes what a death has left of a git directory on its way. */
export async function dropDrafts(tree: string): Promise<void> {
  const there = Object.values(DRAFTS)
    .map((name) => join(tree, name))
    .filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
  await removeTrees(there);
}

/**
 * The same for a git directory that is still as it was made, and only has to stand on another commit. Files are put in place of those
 * that are there, never written through them.
 */
export function advanceAgentGit(tree: string, harness: string, agent: AgentGit): void {
  within(join(tree, '.git'), (git) => {
    const draft = join(git, 'switchyard-next');
    rmSync(draft, { force: true, recursive: true });
    copyIndex(harness, draft);
    renameSync(draft, join(git, 'index'));
    writeFileSync(draft, agentGitFiles(agent)['packed-refs'] ?? '', { flag: 'wx' });
    renameSync(draft, join(git, 'packed-refs'));
  });
}

/** Has the agent's git directory that is there borrow from these folders; false where it is none that git could use. */
export function putAgentAlternates(tree: string, folders: readonly string[]): boolean {
  try {
    inFolder(tree, '.git/objects/info', (info) => {
      const draft = join(info, 'switchyard-next');
      rmSync(draft, { force: true, recursive: true });
      writeFileSync(draft, alternatesText(folders), { flag: 'wx' });
      renameSync(draft, join(info, 'alternates'));
    });
    return true;
  } catch {
    return false;
  }
}

/**
 * Does something in a folder, through a path that leads to that very folder whatever takes its place meanwhile. Throws where it is a link.
 */
function within<T>(folder: string, work: (at: string) => T): T {
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return work(hasDescriptors() ? `/proc/self/fd/${descriptor}` : folder);
  } finally {
    closeSync(descriptor);
  }
}

let descriptorsAreThere: boolean | undefined;

/** Whether what is open here has a path: the same as long as this process lives. */
function hasDescriptors(): boolean {
  return (descriptorsAreThere ??= existsSync('/proc/self/fd'));
}

/** The copy is as old as the index itself, or git would believe it about files that were changed in the same second. */
function copyIndex(harness: string, copy: string): void {
  const { mtimeMs } = copyOwn(harness, 'index', copy);
  const second = Math.floor(mtimeMs / 1000);
  lutimesSync(copy, second, second);
}

/** Copies a file of the harness's git directory, where git has been over an agent's files: nothing but a file, and behind no link. */
function copyOwn(harness: string, path: string, copy: string): Stats {
  let facts: Stats | undefined;
  inFolder(harness, dirname(path), (at) => {
    const file = join(at, basename(path));
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      facts = fstatSync(descriptor);
      if (!facts.isFile()) throw new Error(`${file} is no file`);
      copyFileSync(hasDescriptors() ? `/proc/self/fd/${descriptor}` : file, copy, constants.COPYFILE_EXCL);
    } finally {
      closeSync(descriptor);
    }
  });
  return facts as Stats;
}

/** The name of a repository's object format, from one of its ids. */
export function formatOf(id: string): string {
  return id.length === 64 ? 'sha256' : 'sha1';
}

/**
 * Nothing of it may be there yet, and nothing is written through a link that somebody puts there meanwhile. Each folder is opened once,
 * since those in a checkout lie behind mounts, where every step of a path costs.
 */
function writeTree(folder: string, files: Readonly<Record<string, string>>, folders: readonly string[]): void {
  const below = new Map<string, { readonly files: Record<string, string>; readonly folders: string[] }>();
  const at = (name: string) => {
    const known = below.get(name) ?? { files: {}, folders: [] };
    below.set(name, known);
    return known;
  };
  for (const [path, text] of Object.entries(files)) {
    const [name, rest] = firstOf(path);
    if (rest === undefined) writeFileSync(join(folder, name), text, { flag: 'wx' });
    else at(name).files[rest] = text;
  }
  for (const path of folders) {
    const [name, rest] = firstOf(path);
    if (rest === undefined) at(name);
    else at(name).folders.push(rest);
  }
  for (const [name, inner] of below) {
    makeFolder(join(folder, name));
    if (inner.folders.length === 0 && Object.keys(inner.files).length === 0) continue;
    within(join(folder, name), (opened) => writeTree(opened, inner.files, inner.folders));
  }
}

/** The first name of a path, and what follows. */
function firstOf(path: string): readonly [string, string | undefined] {
  const end = path.indexOf('/');
  return end === -1 ? [path, undefined] : [path.slice(0, end), path.slice(end + 1)];
}

/** One that is there already will do: whoever opens it sees whether it is one. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function inFolder(folder: string, path: string, work: (at: string) => void): void {
  const [name, ...rest] = path.split('/').filter((part) => part !== '.' && part !== '');
  if (name === undefined) work(folder);
  else within(join(folder, name), (at) => inFolder(at, rest.join('/'), work));
}

function configText(objectFormat: string, entries: readonly (readonly [string, string, string])[]): string {
  const sha256 = objectFormat === 'sha256';
  const lines = [
    `[core]\n\trepositoryformatversion = ${sha256 ? 1 : 0}\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n`,
    sha256 ? '[extensions]\n\tobjectformat = sha256\n' : '',
    ...entries.map(([section, key, value]) => `[${section}]\n\t${key} = "${escapedValue(value)}"\n`),
  ];
  return lines.join('');
}

/** The file that says which folders of objects a git directory borrows from. */
function alternatesText(folders: readonly string[]): string {
  const lines = folders.map((path) => (/["\n\\]|^#/.test(path) ? `"${escapedValue(path)}"` : path));
  return lines.map((line) => `${line}\n`).join('');
}

function escapedValue(text: string): string {
  return text.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n');
}
