import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalForge } from '../../src/adapters/forges/local/index.ts';
import { noCrashPoint } from '../../src/lib/crash-point.ts';
import { readCommits } from '../../src/lib/git/commits.ts';
import { diffStat, diffText } from '../../src/lib/git/diff.ts';
import { type Stage, TEXT } from './stage.ts';

/** Everything that the harness does with a workspace, and with what comes out of it, in a run's order. */
export async function harnessWork(stage: Stage): Promise<void> {
  const { workspace, store, repository } = stage;
  const base = workspace.head;
  await workspace.changedSince(base);
  await workspace.checkpoint();
  await workspace.collect(TEXT);
  await workspace.restore();
  const { head } = workspace;
  await readCommits(store.path, [head, `^${base}`]);
  await diffText(store.path, base, head);
  await diffStat(store.path, base, head);
  const forge = createLocalForge({ repository: repository.path, mirror: store.path, crashPoint: noCrashPoint });
  await forge.publish({ branch: 'switchyard/fix-it', commit: head, expected: undefined });
  await forge.move({ branch: 'main', from: base, to: head });
  await workspace.reset(base);
  await stage.open({ reuse: true, head, attempt: 2 });
}

/** Git as somebody who takes no care runs it in an agent's checkout. It may fail: what counts is what it ran. */
export async function carelessly(stage: Stage, command: string): Promise<void> {
  const home = await mkdtemp(join(stage.folder, 'home-'));
  const env = {
    ...IDENTITY,
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
  };
  const child = spawn('/bin/sh', ['-c', command], { cwd: stage.layout.tree, env, stdio: 'ignore', detached: true });
  const late = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), 20_000);
  await once(child, 'exit');
  clearTimeout(late);
  await rm(home, { recursive: true });
}

const IDENTITY = {
  GIT_AUTHOR_NAME: 'x',
  GIT_AUTHOR_EMAIL: 'x@y',
  GIT_COMMITTER_NAME: 'x',
  GIT_COMMITTER_EMAIL: 'x@y',
};

/**
 * A shell command that leaves traces when it is run: on the stage's target, and in the workspace, where it can write even if it runs
 * within the walls of the harness's git.
 */
export function fire({ target, layout }: Stage): string {
  return `echo owned 2>/dev/null >${target}; echo ran 2>/dev/null >${join(layout.git, 'ran')}`;
}

export async function whatRan({ targetText, layout }: Stage): Promise<string> {
  if ((await targetText()) !== 'untouched') return 'ran';
  const ran = await readFile(join(layout.git, 'ran'), 'utf8').catch(() => undefined);
  return ran === undefined ? 'nothing ran' : "ran within git's walls";
}
