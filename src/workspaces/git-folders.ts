import { copyFile, lstat, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SwitchyardError } from '../lib/error.ts';
import type { CommitIdentity } from '../ports/workspace.ts';

/** Git directories written file by file: a process of git for each would cost more than all of them together. */

/** The harness's own, beside the checkout: an index, and objects on their way to the store, whose objects it sees. */
export async function writeHarnessGit(folder: string, store: string, objectFormat: string): Promise<void> {
  const config = configText(objectFormat, []);
  await mkdir(join(folder, 'info'), { recursive: true, mode: 0o700 });
  await writeSkeleton(folder, { config, store, head: 'ref: refs/heads/none\n' });
  // For what has to come back byte by byte: the same objects, but no attribute of the checkout counts.
  const exact = join(folder, 'exact');
  await mkdir(join(exact, 'info'), { recursive: true });
  await writeSkeleton(exact, { config, store, head: 'ref: refs/heads/none\n' });
  await writeFile(join(exact, 'info/attributes'), '* -text -ident -filter !working-tree-encoding\n');
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
  if (!/^switchyard\/[A-Za-z0-9][A-Za-z0-9._-]*$/.test(branch) || branch.includes('..') || branch.endsWith('.lock')) {
    throw new SwitchyardError({
      code: 'workspace/bad-slug',
      message: `${JSON.stringify(branch)} cannot name a branch`,
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
    [`refs/heads/${branch}`]: `${head}\n`,
    'refs/switchyard/base': `${base}\n`,
  };
}

/**
 * Puts a new git directory for the agent into the checkout, in place of whatever is there. `harness` is the harness's git directory, whose
 * index and exclusions it shares.
 */
export async function replaceAgentGit(tree: string, harness: string, agent: AgentGit): Promise<void> {
  const root = dirname(tree);
  const [next, last] = [join(root, 'next-git'), join(root, 'last-git')];
  await Promise.all([next, last].map((folder) => rm(folder, { recursive: true, force: true })));
  const files = agentGitFiles(agent);
  const folders = new Set(['objects/pack', 'refs/tags', 'info', ...Object.keys(files).map((file) => dirname(file))]);
  await mkdir(next);
  for (const folder of folders) await mkdir(join(next, folder), { recursive: true });
  await Promise.all([
    ...Object.entries(files).map(([file, text]) => writeFile(join(next, file), text)),
    copyFile(join(harness, 'index'), join(next, 'index')),
    copyFile(join(harness, 'info/exclude'), join(next, 'info/exclude')),
  ]);
  const git = join(tree, '.git');
  if ((await lstat(git).catch(() => undefined)) !== undefined) await rename(git, last);
  await rename(next, git);
  await rm(last, { recursive: true, force: true, maxRetries: 3 });
}

/** The name of a repository's object format, from one of its ids. */
export function formatOf(id: string): string {
  return id.length === 64 ? 'sha256' : 'sha1';
}

async function writeSkeleton(folder: string, { config, store, head }: Record<'config' | 'store' | 'head', string>) {
  await Promise.all(['objects/info', 'refs', 'info'].map((part) => mkdir(join(folder, part), { recursive: true })));
  await Promise.all([
    writeFile(join(folder, 'HEAD'), head),
    writeFile(join(folder, 'config'), config),
    writeFile(join(folder, 'objects/info/alternates'), alternatesText(store)),
    writeFile(join(folder, 'info/exclude'), ''),
  ]);
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
