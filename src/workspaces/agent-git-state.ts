import { closeSync, constants, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentGit, agentGitFiles } from './git-folders.ts';

/**
 * - `untouched`: as the harness left it; the agent has made no commit that anything refers to.
 * - `touched`: something else; what, only git in the sandbox can tell. Equal `state` means equal refs and HEAD.
 * - `missing`: no git directory.
 */
export type AgentGitState =
  | { readonly kind: 'untouched' | 'missing' }
  | { readonly kind: 'touched'; readonly state: string };

/**
 * How the agent's git directory differs from what it was made as. Reads a few small files at once, never through a symbolic link, and runs
 * nothing.
 */
export function lookAtAgentGit(tree: string, expected: AgentGit): AgentGitState {
  const git = join(tree, '.git');
  if (!isFolder(git)) return { kind: 'missing' };
  try {
    return compare(git, expected);
  } catch {
    // Files that this user may not read, or that go away while they are read.
    return { kind: 'touched', state: 'unreadable' };
  }
}

function compare(git: string, expected: AgentGit): AgentGitState {
  const wanted = agentGitFiles(expected);
  const found = new Map<string, string>();
  for (const file of [...TOLD, ...Object.keys(wanted)]) {
    const text = readSmall(join(git, file));
    if (text !== undefined) found.set(file, text);
  }
  readRefs(git, 'refs', found);
  const isWhole =
    isFolder(join(git, 'refs')) &&
    isFolder(join(git, 'objects')) &&
    isFolder(join(git, 'objects/info')) &&
    hasIndex(git);
  const same =
    found.size === Object.keys(wanted).length &&
    Object.entries(wanted).every(([file, text]) => found.get(file) === text);
  if (isWhole && same) return { kind: 'untouched' };
  const state = [...found].map(([file, text]) => `${file}\0${text}`);
  return { kind: 'touched', state: state.sort().join('\0') };
}

/** Files that mean something, and that we never make. */
const TOLD = ['commondir', 'shallow'];

/** More refs than this are not listed one by one: git will be asked anyway. */
const MANY = 1000;

function readRefs(git: string, folder: string, found: Map<string, string>): void {
  if (!isFolder(join(git, folder))) return;
  for (const entry of readdirSync(join(git, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (found.size > MANY) return;
    if (entry.isDirectory()) readRefs(git, path, found);
    else found.set(path, readSmall(join(git, path)) ?? '');
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function hasIndex(git: string): boolean {
  const start = readSmall(join(git, 'index'), 4);
  return start === undefined || start === 'DIRC';
}

/** The beginning of a regular file, undefined for anything else. */
function readSmall(path: string, length = 64 * 1024): string | undefined {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(length);
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, length, 0));
  } finally {
    closeSync(file);
  }
}
