import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type AgentGit, agentGitFiles } from './git-folders.ts';

/**
 * - `untouched`: as the harness left it; the agent has made no commit that anything refers to.
 * - `touched`: something else; what, only git in the sandbox can tell. Equal `state` means equal refs and HEAD.
 * - `missing`: no git directory.
 */
export type AgentGitState = { readonly kind: 'untouched' | 'missing' } | { readonly kind: 'touched'; readonly state: string };

/**
 * How the agent's git directory differs from what it was made as. Reads a few small files, never through a symbolic link, and runs
 * nothing.
 */
export async function lookAtAgentGit(tree: string, expected: AgentGit): Promise<AgentGitState> {
  const git = join(tree, '.git');
  const folder = await lstat(git).catch(() => undefined);
  if (folder === undefined || !folder.isDirectory()) return { kind: 'missing' };
  const wanted = agentGitFiles(expected);
  const found = new Map<string, string>();
  for (const file of [...TOLD, ...Object.keys(wanted).filter((name) => !name.startsWith('refs/'))]) {
    const text = await readSmall(join(git, file));
    if (text !== undefined) found.set(file, text);
  }
  await readRefs(git, 'refs', found);
  const isWhole = (await isFolder(join(git, 'objects'))) && (await isFolder(join(git, 'objects/info'))) && (await hasIndex(git));
  const same = found.size === Object.keys(wanted).length && Object.entries(wanted).every(([file, text]) => found.get(file) === text);
  if (isWhole && same) return { kind: 'untouched' };
  return { kind: 'touched', state: JSON.stringify([...found].sort()) };
}

/** Files that mean something, and that we never make. */
const TOLD = ['packed-refs', 'commondir', 'shallow'];

/** More refs than this are not listed one by one: git will be asked anyway. */
const MANY = 1000;

async function readRefs(git: string, folder: string, found: Map<string, string>): Promise<void> {
  const entries = await readdir(join(git, folder), { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (found.size > MANY) return;
    if (entry.isDirectory()) await readRefs(git, path, found);
    else found.set(path, (await readSmall(join(git, path))) ?? '');
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function hasIndex(git: string): Promise<boolean> {
  const start = await readSmall(join(git, 'index'), 4);
  return start === undefined || start === 'DIRC';
}

/** The beginning of a regular file, undefined for anything else. */
async function readSmall(path: string, length = 64 * 1024): Promise<string | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) return undefined;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return undefined; // Not there, a link, or not for us to read.
  }
}
