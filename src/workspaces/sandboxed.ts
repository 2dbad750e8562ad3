import { buffer } from 'node:stream/consumers';
import { SwitchyardError } from '../lib/error.ts';
import { keepTail } from '../lib/exec/tail.ts';
import { gitEnvironment } from '../lib/git/environment.ts';
import { gitError } from '../lib/git/git.ts';
import { shellWord } from '../lib/shell-word.ts';
import type { SandboxedProcess } from '../ports/sandbox.ts';
import type { Layout } from './layout.ts';
import { ReadyShell } from './ready-shell.ts';
import { releasePipes } from './release-pipes.ts';
import type { Site } from './site.ts';

/** Far beyond what git takes on the largest repository: past it, something hangs. */
const LIMIT_MS = 15 * 60_000;

export interface Script {
  /** POSIX shell. Whatever it does with git is walled off, as is what git may run of an agent's files. */
  readonly text: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Names the script in errors. */
  readonly name: string;
}

export interface ScriptResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** What is needed of a workspace to run scripts in it. */
export type Scripted = Pick<Site, 'layout' | 'sandbox' | 'onPipeRemoved' | 'takeReady'>;

/**
 * Runs a shell script in the workspace's sandbox, in the checkout, with git set to the harness's git directory and a configuration
 * that nothing in the checkout can change. A pipe that it waits for is removed.
 */
export async function runScript(site: Scripted, script: Script): Promise<ScriptResult> {
  const { layout, sandbox } = site;
  const { name } = script;
  await using running = (await site.takeReady?.()?.run(toldScript(script))) ?? (await start(site, script));
  const late = AbortSignal.timeout(LIMIT_MS);
  const stop = (): void => void running.stop(0);
  late.addEventListener('abort', stop, { once: true });
  const over = new AbortController();
  const releasing = releasePipes({ sandbox, tree: layout.tree }, (path) => site.onPipeRemoved?.(path), over.signal);
  const stderr = keepTail(running.stderr);
  const [stdout, exit] = await Promise.all([buffer(running.stdout), running.exited]);
  over.abort();
  await releasing;
  late.removeEventListener('abort', stop);
  if (late.aborted) throw hangs(name);
  return { code: exit.code ?? 137, stdout, stderr: stderr.text() };
}

function start({ layout, sandbox }: Scripted, { text, args = [], env = {}, name }: Script): Promise<SandboxedProcess> {
  return sandbox.spawn({
    argv: ['/bin/sh', '-c', text, name, ...args],
    cwd: layout.tree,
    env: { ...environmentOf(layout), ...env },
  });
}

/** A shell for a script that is still to come, in the same place and with the same git. */
export function readyShell({ layout, sandbox }: Scripted): ReadyShell {
  return new ReadyShell({ sandbox, cwd: layout.tree, env: environmentOf(layout), folder: layout.git });
}

/** The script for a shell that has neither its arguments nor its variables. */
function toldScript({ text, args = [], env = {} }: Script): string {
  const variables = Object.entries(env).map(([name, value]) => `export ${name}=${shellWord(value)}\n`);
  return `set -- ${args.map((word) => shellWord(word)).join(' ')}\n${variables.join('')}${text}\n`;
}

function environmentOf({ git, tree }: Layout): Record<string, string> {
  return { ...gitEnvironment({ gitDir: git, workTree: tree, config: { 'pack.threads': '1' } }), ...MOST };
}

/** Bytes that git takes of the memory at once: what an agent wrote may say that it is of any size, or never end. */
const MOST = { GIT_ALLOC_LIMIT: '2g' };

/** Like `runScript`, for one that has to succeed. */
export async function runScriptOrThrow(site: Scripted, script: Script): Promise<ScriptResult> {
  const result = await runScript(site, script);
  if (result.code !== 0) throw gitError([script.name], result);
  return result;
}

function hangs(name: string): SwitchyardError {
  return new SwitchyardError({
    code: 'workspace/git-hangs',
    message: `git in the workspace (${name}) did not end within ${LIMIT_MS / 60_000} minutes`,
    hint: 'See whether the disk of the workspace is slow or full, then retry.',
    retry: 'backoff',
  });
}
