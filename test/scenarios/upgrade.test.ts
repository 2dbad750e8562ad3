import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { version } from '../../src/daemon/version.ts';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { type TempRepository, tempFolder, tempRepository } from '../../src/testing/temp-repository.ts';
import { leftForGood } from '../crash/leftovers.ts';
import { Installation } from '../support/installation.ts';

/** The daemon is replaced by a newer build while ten agents are at work. */

const AGENTS = 10;
/** Of the engine: a moment for steps that are about to end, and a minute for the others. */
const STOP_MS = 65_000;
const root = fileURLToPath(new URL('../../', import.meta.url));

const BLUEPRINT = `
name: three
start: first
nodes:
  first:  { agent: default, max: 1, next: second, on: { unchanged: park } }
  second: { agent: same, session: resume first, max: 1, next: check, on: { unchanged: park } }
  check:  { check: all, max: 1, next: deliver, on: { fixed: park, fail: park, missing: park } }
  deliver: { deliver: branch, next: done }
`;

/** What an attempt finds of an earlier one it leaves as it is. The first turn of an attempt that finds nothing lasts until it is told to go on. */
const script = (folder: string) => `
steps:
  first:
    - [ { say: "I begin." },
        { run: "[ -f begun.txt ] || date +%s%N > begun.txt; echo attempt >> attempts.txt" },
        { run: "cp begun.txt ${folder}/$SWITCHYARD_RUN.part && mv ${folder}/$SWITCHYARD_RUN.part ${folder}/$SWITCHYARD_RUN" },
        { run: "until [ -f ${folder}/go ]; do sleep 0.1; done" },
        { write: { path: first.txt, text: "first\\n" } } ]
  second:
    - [ { write: { path: second.txt, text: "second\\n" } }, { sleep: 300ms }, { say: "Done." } ]
`;

test('ten agents at work when a newer build takes the daemon’s place all finish, and nothing of their work is lost', {
  timeout: 240_000,
}, async () => {
  await using marks = await tempFolder();
  await using repository = await tempRepository({
    'README.md': 'x\n',
    '.switchyard/config.yaml': 'checks:\n  begun: { run: "test -s begun.txt", kind: test }\nsetup: none\n',
    '.switchyard/blueprints/three.yaml': BLUEPRINT,
  });
  await using newer = await tempFolder();
  await build(newer.path, '999.0.0');
  await using installation = await Installation.create({
    config: `agents:\n  recorded: { kind: scripted, script: recording.yaml }\nlimits: { agents: ${AGENTS}, perRepository: ${AGENTS} }\n`,
    files: { 'recording.yaml': script(marks.path) },
  });
  await installation.startDaemon();
  const old = await installation.client.call('health', {});
  const runs = await Promise.all(Array.from({ length: AGENTS }, () => request(installation, repository)));
  const begun = await Promise.all(runs.map((run) => writtenAt(join(marks.path, run))));

  const asked = performance.now();
  expect((await installation.cli(['server', 'down'])).code).toBe(0);
  expect(performance.now() - asked).toBeLessThan(STOP_MS);
  expect(await installation.log()).not.toContain('does not stop');
  // A workspace is a cache: for every other run only its checkpoint is left.
  for (const run of runs.filter((_, index) => index % 2 === 1)) await installation.loseWorkspace(run);
  installation.program = join(newer.path, 'bin', 'switchyard.js');
  expect((await installation.cli(['server', 'up', '--test-mode'])).code).toBe(0);
  const health = await installation.client.call('health', {});
  expect([old.version, health.version]).toEqual([version, '999.0.0']);
  await writeFile(join(marks.path, 'go'), '');

  for (const [index, run] of runs.entries()) {
    const ended = await installation.settled(run);
    expect(ended.state.kind, JSON.stringify(ended.state)).toBe('succeeded');
    expect(ended.steps.map((step) => `${step.node}:${step.outcome}:${step.attempts}`)).toEqual([
      'first:done:2',
      'second:done:1',
      'check:pass:1',
      'deliver:delivered:1',
    ]);
    // What the first attempt had written, and no end of a step had taken in, is what the second one went on with.
    const file = (name: string) => repository.git('show', `${ended.branch}:${name}`);
    expect(await file('begun.txt')).toBe(begun[index]);
    expect(await file('attempts.txt')).toBe('attempt\nattempt');
    expect([await file('first.txt'), await file('second.txt')]).toEqual(['first', 'second']);
    expect(await resultsOf(installation, run)).toEqual(['interrupted', 'ended', 'ended', 'ended', 'ended']);
  }
  expect(await leftForGood(installation, repository)).toEqual([]);
});

/** This checkout as a build of another version. */
async function build(folder: string, version: string): Promise<void> {
  for (const part of ['bin', 'src', 'blueprints']) await cp(join(root, part), join(folder, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...manifest, version }));
}

async function request(installation: Installation, repository: TempRepository): Promise<string> {
  const { run } = await installation.client.call('startRun', {
    task: 'Work in several turns',
    repository: repository.path,
    blueprint: 'three',
    requester: 'test',
  });
  return run;
}

/** Waits until the file is there, and returns what it holds. */
async function writtenAt(file: string): Promise<string> {
  const text = await waitUntil(() => readFile(file, 'utf8').catch(() => undefined), {
    timeoutMs: 60_000,
    what: 'the agent to be at work',
  });
  return text.trim();
}

async function resultsOf(installation: Installation, run: string): Promise<string[]> {
  const results: string[] = [];
  for await (const event of installation.client.events(run, { follow: false }))
    if (event.kind === 'attempt.ended') results.push(event.result);
  return results;
}
