import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunDetail } from '../../src/api/schemas/run.ts';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { type TempRepository, tempRepository } from '../../src/testing/temp-repository.ts';
import type { Installation } from '../support/installation.ts';

/**
 * One run that passes every effect: a workspace with setup, an agent whose first edit fails the check and whose second mends it, a
 * person's approval, a target that has moved (so that the run is rebased and checked again), the merge into the checked-out branch,
 * and then the trash. The agent's script may be played again over what an attempt that was killed has left. Each act of the person is done again until it has happened, as a person would after "the server went away".
 */
export const CONFIG = 'agents:\n  recorded: { kind: scripted, script: recording.yaml }\n';

export const RECORDING = (marks: string) => `
steps:
  implement:
    - [ { run: "echo implement-$SWITCHYARD_RUN >> ${marks}" }, { write: { path: answer.txt, text: "41\\n" } }, { say: "Wrote the answer." } ]
  fix:
    - [ { run: "echo fix-$SWITCHYARD_RUN >> ${marks}" }, { write: { path: answer.txt, text: "42\\n" } }, { run: "git add answer.txt; git diff --cached --quiet || git commit --quiet --message 'Correct the answer'" }, { write: { path: notes.txt, text: "checked\\n" } } ]
`;

const BLUEPRINT = `
name: crash
start: implement
nodes:
  implement: { agent: default, max: 1, next: check, on: { unchanged: park } }
  check:     { check: all, max: 3, on: { pass: branch, fixed: park, fail: fix, missing: park } }
  fix:       { agent: same, session: resume implement, with: { failure: $check.report }, max: 1, next: check, on: { unchanged: park } }
  branch:    { deliver: branch, next: review }
  review:    { approval: reviewer, on: { approved: merge, changes: park, abandoned: abandoned } }
  merge:     { deliver: merge, next: done }
`;

export async function crashRepository(): Promise<TempRepository> {
  const repository = await tempRepository({
    'README.md': 'crash\n',
    '.gitignore': 'made-by-setup\n',
    '.switchyard/config.yaml':
      'checks:\n  answer: { run: "grep -q 42 answer.txt", kind: test }\nsetup: "echo ready > made-by-setup"\n',
    '.switchyard/blueprints/crash.yaml': BLUEPRINT,
  });
  return repository;
}

/** What must be the same, whatever was killed on the way. */
export interface EndState {
  readonly state: string;
  readonly merged: string | undefined;
  readonly messages: readonly string[];
  readonly steps: readonly string[];
  readonly branches: readonly string[];
  readonly status: string;
}

export interface Acts {
  /** Makes sure that the server answers; called whenever it does not. */
  revive(): Promise<void>;
  /** Called before each act, with its name; a seeded killer may arm itself. */
  before?(act: string): void;
}

/** Plays the person's part; resolves with the run when it has been merged and discarded. */
export async function playRun(installation: Installation, repository: TempRepository, acts: Acts): Promise<RunDetail> {
  const persist = <T>(act: string, attempt: () => Promise<T | undefined>): Promise<T> =>
    waitUntil(
      async () => {
        try {
          return await attempt();
        } catch (error) {
          if (!isOutage(error)) throw error;
          await acts.revive();
          return undefined;
        }
      },
      { timeoutMs: 60_000, everyMs: 25, what: act },
    );
  const { client } = installation;

  acts.before?.('start');
  const before = new Set(
    (await persist('listing runs', () => client.call('listRuns', { all: 'true' }))).map((run) => run.id),
  );
  const id = await persist('starting the run', async () => {
    const known = (await client.call('listRuns', { all: 'true' })).find((run) => !before.has(run.id));
    return (
      known?.id ??
      (
        await client.call('startRun', {
          task: 'Write the answer',
          repository: repository.path,
          blueprint: 'crash',
          requester: 'ann',
        })
      ).run
    );
  });
  const until = (what: string, reached: (run: RunDetail) => boolean) =>
    persist(what, async () => {
      const run = await client.call('showRun', {}, { run: id });
      if (run.state.kind === 'parked' && run.state.needs.kind !== 'approval')
        throw new Error(`parked: ${run.state.reason.code} ${run.state.reason.message}`);
      return reached(run) ? run : undefined;
    });
  await until('the approval', (run) => run.state.kind === 'parked');
  await repository.commit({ 'elsewhere.txt': `${id}\n` }, 'Move the target');
  acts.before?.('approve');
  await persist('approving', async () => {
    const run = await client.call('showRun', {}, { run: id });
    if (run.state.kind === 'parked') await client.call('decideRun', { choice: 'approved', actor: 'ann' }, { run: id });
    return true;
  });
  await until('the merge', (run) => run.state.kind === 'succeeded');
  acts.before?.('discard');
  await persist('discarding', async () => {
    const run = await client.call('showRun', {}, { run: id });
    if (run.state.kind !== 'discarded') await client.call('discardRun', { actor: 'ann' }, { run: id });
    return true;
  });
  await persist('emptying the outbox', async () => {
    const { slug } = await client.call('showRun', {}, { run: id });
    const [trashed, kept] = await Promise.all(
      ['trash', 'runs'].map((place) => refsOf(installation, repository, `refs/switchyard/${place}/${id}/`)),
    );
    const branch = await repository.git('branch', '--list', `switchyard/${slug}`);
    return trashed?.length !== 0 && kept?.length === 0 && branch === '' ? true : undefined;
  });
  return until('the end', (run) => run.state.kind === 'discarded');
}

export async function endState(repository: TempRepository, run: RunDetail): Promise<EndState> {
  const own = (text: string) => text.replaceAll(run.id, 'RUN').replaceAll(run.slug, 'SLUG');
  return {
    state: run.state.kind,
    merged:
      run.merged === undefined
        ? undefined
        : own(await repository.git('ls-tree', '-r', 'main', '--', 'answer.txt', 'notes.txt', 'README.md')),
    messages: (await repository.git('log', '--format=%an|%cn|%B%x00', `${run.base.commit}..main`))
      .split('\0')
      .map((message) => own(message.trim())),
    steps: run.steps.map((step) => `${step.node}#${step.n}:${step.outcome ?? '-'}`),
    branches: (await repository.git('branch', '--format=%(refname:short)', '--list', 'main', `switchyard/${run.slug}`))
      .split('\n')
      .map(own),
    status: await repository.git('status', '--porcelain'),
  };
}

/** Every agent start that was written down, and every attempt at which one may have been made. */
export async function agentStarts(
  marks: string,
  run: RunDetail,
): Promise<{ step: string; starts: number; attempts: number }[]> {
  const lines = (await readFile(marks, 'utf8').catch(() => '')).split('\n').filter((line) => line.endsWith(run.id));
  return run.steps
    .filter((step) => step.kind === 'agent')
    .map((step) => ({
      step: `${step.node}#${step.n}`,
      starts: lines.filter((line) => line.startsWith(`${step.node}-`)).length,
      attempts: step.attempts,
    }));
}

/** Refs below the prefix in any of the installation's git stores; the prefix holds the run's id. */
async function refsOf(installation: Installation, repository: TempRepository, prefix: string): Promise<string[]> {
  const stores = globSync(join(installation.home.repositories, '*.git'));
  const refs = await Promise.all(
    stores.map((store) => repository.git('--git-dir', store, 'for-each-ref', '--format=%(refname)', prefix)),
  );
  return refs.flatMap((text) => text.split('\n')).filter((ref) => ref !== '');
}

function isOutage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return (
    ['daemon/unavailable', 'database/unavailable', 'ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ENOENT'].includes(code) ||
    (error instanceof Error && /aborted|socket hang up|terminated/.test(error.message))
  );
}
