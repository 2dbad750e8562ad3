import type { RunDetail } from '../../src/api/schemas/run.ts';
import { waitUntil } from '../../src/lib/wait-until.ts';
import type { TempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';
import { sampleRepository } from './sample-repository.ts';

/**
 * What `week` and `scale` measure: whole runs of the shipped blueprint `quick`. The agent is a scripted one that writes a file of its
 * run's name, the check reads all files of the repository; both are child processes in the sandbox.
 */
const SCRIPT = `
steps:
  implement:
    - [ { run: "mkdir -p done && echo $SWITCHYARD_RUN > done/$SWITCHYARD_RUN.txt" }, { say: "Done." } ]
`;
const CHECKS = `checks:\n  sources: { run: "! grep -rq BROKEN src done", kind: test }\nsetup: none\n`;

export const quickRepository = (files: number): Promise<TempRepository> =>
  sampleRepository(files, { 'config.yaml': CHECKS });

export const quickInstallation = (): Promise<Installation> =>
  Installation.create({
    config: 'agents:\n  recorded: { kind: scripted, script: recording.yaml }\n',
    files: { 'recording.yaml': SCRIPT },
  });

export async function startQuick(installation: Installation, repository: TempRepository): Promise<string> {
  const { run } = await installation.client.call('startRun', {
    task: 'Write the file of this run',
    repository: repository.path,
    blueprint: 'quick',
    requester: 'bench',
  });
  return run;
}

/** Resolves when all that was started is over; rejects when something waits for a person. */
export async function allOver(installation: Installation, timeoutMs: number): Promise<void> {
  await waitUntil(async () => (await atWork(installation)) === 0, { timeoutMs, everyMs: 50, what: 'all runs to end' });
}

/** How many runs are not over. */
export async function atWork(installation: Installation): Promise<number> {
  const { runs } = await installation.client.call('health', {});
  if (runs.parked > 0) throw new Error(`${runs.parked} runs wait for a person: ${await whyParked(installation)}`);
  return runs.queued + runs.running;
}

async function whyParked(installation: Installation): Promise<string> {
  const runs = await installation.client.call('listRuns', { all: 'true' });
  return runs.flatMap(({ state }) => (state.kind === 'parked' ? [state.reason.message] : [])).join(' · ');
}

/**
 * Proves that the runs were merged: the branch holds one commit for each of them and no other, each of a run's own name that adds
 * just its file, and the checkout is clean.
 */
export async function verifyMerged(
  repository: TempRepository,
  runs: readonly RunDetail[],
  base: string,
): Promise<void> {
  const log = await repository.git(
    'log',
    '--reverse',
    '--name-status',
    '--format=%x00%H%x09%(trailers:key=Switchyard-Run,valueonly,separator=%x2C)',
    `${base}..main`,
  );
  const commits = new Map<string, { run: string; changes: string }>();
  for (const entry of log.split('\0').slice(1)) {
    const [head = '', ...changes] = entry.trim().split('\n');
    const [commit = '', run = ''] = head.split('\t');
    commits.set(commit, { run, changes: changes.filter((line) => line !== '').join('\n') });
  }
  if (commits.size !== runs.length) throw new Error(`${runs.length} runs, and ${commits.size} commits on main`);
  const files = new Set((await repository.git('diff', '--name-only', '--diff-filter=A', base, 'main')).split('\n'));
  if (files.size !== runs.length) throw new Error(`${runs.length} runs, and ${files.size} files of theirs on main`);
  for (const { id, state, merged } of runs) {
    const commit = merged === undefined ? undefined : commits.get(merged.commit);
    if (state.kind !== 'succeeded' || commit === undefined) throw new Error(`run ${id} is not on main`);
    const file = `done/${id}.txt`;
    if (commit.run !== id || commit.changes !== `A\t${file}` || !files.has(file))
      throw new Error(`the commit of run ${id} is not what the run has made: ${JSON.stringify(commit)}`);
  }
  const status = await repository.git('status', '--porcelain');
  if (status !== '') throw new Error(`the checkout is not what main is: ${status}`);
}
