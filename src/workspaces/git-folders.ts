import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SwitchyardError } from '../lib/error.ts';
import type { CommitIdentity } from '../ports/workspace.ts';

/**
 * Git directories written file by file: a process of git for each would cost more than all of them together, and so would waiting
 * for each of the small files in turn. They are written at once, in a millisecond or two.
 */

/** The harness's own, beside the checkout: an index, and objects on their way to the store, whose objects it sees. */
export function writeHarnessGit(folder: string, store: string, objectFormat: string): void {
  const files = { HEAD: 'ref: refs/heads/none\n', config: configText(objectFormat, []) };
  writeTree(folder, { ...files, 'objects/info/alternates': alternatesText(store), 'info/exclude': '' }, ['refs']);
  // For what has to come back byte by byte: the same objects, but no attribute of the checkout counts.
  writeTree(join(folder, 'exact'), { ...files, 'info/attributes': '* -text -ident -filter !working-tree-encoding\n' }, [
    'refs',
  ]);
}

/** How the agent's git directory is to be. */
export interface AgentGit {
  readonly store: string;
  readonly branch: string;
  readonly head: string;
  readonly base: string;
  readonly identity: CommitIdentity;
}

/** The files of the agent's git directory that say where its branches stand and what git there is to do, by path. */
export function agentGitFiles({ store, branch, head, base, identity }: AgentGit): Record<string, string> {
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
    ]),
    'objects/info/alternates': alternatesText(store),
    'packed-refs': `# pack-refs with: peeled fully-peeled sorted \n${head} refs/heads/${branch}\n${base} refs/switchyard/base\n`,
  };
}

/**
 * Puts a new git directory for the agent into the checkout, in place of whatever is there. `harness` is the harness's git directory, whose
 * index and exclusions it shares.
 */
export async function replaceAgentGit(tree: string, harness: string, agent: AgentGit): Promise<void> {
  const root = dirname(tree);
  const [next, last, git] = [join(root, 'next-git'), join(root, 'last-git'), join(tree, '.git')];
  await removeFolder(next);
  await removeFolder(last);
  writeTree(next, agentGitFiles(agent), ['refs', 'info']);
  copyIndex(harness, join(next, 'index'));
  copyFileSync(join(harness, 'info/exclude'), join(next, 'info/exclude'));
  if (lstatSync(git, { throwIfNoEntry: false }) !== undefined) renameSync(git, last);
  renameSync(next, git);
  await removeFolder(last);
}

/**
 * The same for a git directory that is still as it was made, and only has to stand on another commit. Files are put in place of those
 * that are there, never written through them.
 */
export function advanceAgentGit(tree: string, harness: string, agent: AgentGit): void {
  const draft = join(dirname(tree), 'next-file');
  copyIndex(harness, draft);
  renameSync(draft, join(tree, '.git/index'));
  writeFileSync(draft, agentGitFiles(agent)['packed-refs'] ?? '');
  renameSync(draft, join(tree, '.git/packed-refs'));
}

/** The copy is as old as the index itself, or git would believe it about files that were changed in the same second. */
function copyIndex(harness: string, copy: string): void {
  const index = join(harness, 'index');
  copyFileSync(index, copy);
  const second = Math.floor(statSync(index).mtimeMs / 1000);
  utimesSync(copy, second, second);
}

/** Removes a git directory, or what the agent put in its place; one with many objects without holding up everything else. */
async function removeFolder(folder: string): Promise<void> {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isDirectory() && hasManyObjects(folder)) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  else rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

function hasManyObjects(git: string): boolean {
  const objects = join(git, 'objects');
  return lstatSync(objects, { throwIfNoEntry: false })?.isDirectory() === true && readdirSync(objects).length > 20;
}

/** The name of a repository's object format, from one of its ids. */
export function formatOf(id: string): string {
  return id.length === 64 ? 'sha256' : 'sha1';
}

function writeTree(folder: string, files: Readonly<Record<string, string>>, folders: readonly string[]): void {
  const needed = new Set([...folders, ...Object.keys(files).map((file) => dirname(file))]);
  for (const name of needed) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
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

function alternatesText(store: string): string {
  const path = join(store, 'objects');
  return `${/["\n\\]|^#/.test(path) ? `"${escapedValue(path)}"` : path}\n`;
}

function escapedValue(text: string): string {
  return text.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n');
}
