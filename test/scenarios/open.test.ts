import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Event } from '../../src/domain/event.ts';
import { isThere } from '../../src/lib/is-there.ts';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { processesWith, uniqueSleep, untilProcessesWith } from '../../src/testing/marked-processes.ts';
import { type TempRepository, tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/** `open RUN`: a person takes a run over by hand, in its workspace, and hands it back. */

const bin = fileURLToPath(new URL('../../bin/switchyard.js', import.meta.url));
/** Is at work until it is stopped; begun again, it ends. What it is told it writes into the workspace. */
const SLOW =
  'cat > told.txt; if [ -f begun.txt ]; then echo more > ended.txt; else echo agent > begun.txt; sleep 600; fi';
let installation: Installation;

beforeAll(async () => {
  installation = await Installation.create({
    config: `agents:
  writer: { kind: custom, command: [sh, -c, "echo agent > made.txt"] }
  slow: { kind: custom, command: [sh, -c, ${JSON.stringify(SLOW)}] }
  wrong: { kind: custom, command: [sh, -c, "cat >> told.txt; echo wrong > fixed.txt; date +%N >> again.txt"] }
defaults: { agent: writer }
`,
  });
});
beforeAll(() => {
  hold = join(installation.folder, 'hold');
});
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
});

const files = {
  'base.txt': 'base\n',
  '.switchyard/config.yaml': 'checks: {}\nsetup: none\n',
  '.switchyard/blueprints/ask.yaml': `name: ask
summary: Ask.
start: implement
nodes:
  implement: { agent: default, max: 9, next: review, on: { unchanged: review } }
  review: { approval: reviewer, on: { approved: branch, changes: implement, abandoned: abandoned } }
  branch: { deliver: branch, next: done }
`,
  '.switchyard/blueprints/straight.yaml': `name: straight
summary: Straight.
start: implement
nodes:
  implement: { agent: default, next: branch, on: { unchanged: park } }
  branch: { deliver: branch, next: done }
`,
};

const checked = {
  ...files,
  '.switchyard/config.yaml': 'checks: { right: { run: "cat fixed.txt; grep -q right fixed.txt" } }\nsetup: none\n',
  '.switchyard/blueprints/loop.yaml': `name: loop
summary: Loop.
start: implement
nodes:
  implement: { agent: default, next: check, on: { unchanged: park } }
  check: { check: all, next: done, on: { fail: fix, fixed: park, missing: park } }
  fix: { agent: same, max: 1, with: { failure: $check.report }, next: check, on: { unchanged: park } }
`,
};
const WRONG = ['--agent', 'wrong', '--blueprint', 'loop'];
const steps = ({ steps: all }: { steps: readonly { node: string; n: number; outcome: string | null }[] }) =>
  all.map(({ node, n, outcome }) => `${node}#${n} ${outcome}`);

/** While that file is there, setup says that it has come so far, and goes no further. */
let hold: string;
/** What its setup leaves is not ignored, so that it cannot be shared and runs for each workspace. */
const held = () => ({
  ...files,
  '.switchyard/config.yaml': `checks: {}\nsetup: ": > made-by-setup; while [ -f '${hold}' ]; do : > '${hold}.reached'; sleep 0.05; done"\n`,
});

async function start(repository: TempRepository, ...more: string[]): Promise<string> {
  const result = await installation.cli(['run', 'Do it', '--detach', '--json', ...more], { cwd: repository.path });
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return (JSON.parse(result.stdout) as { run: string }).run;
}

async function settled(repository: TempRepository, ...more: string[]): Promise<string> {
  const run = await start(repository, ...more);
  await installation.settled(run);
  return run;
}

/** A run whose agent is in the middle of its work. */
async function atWork(repository: TempRepository, ...more: string[]): Promise<string> {
  const run = await start(repository, '--agent', 'slow', '--blueprint', 'straight', ...more);
  const begun = join(installation.home.workspaces, run, 'tree', 'begun.txt');
  await waitUntil(() => readFile(begun, 'utf8').catch(() => ''), { timeoutMs: 30_000, what: 'the agent at work' });
  return run;
}

const open = (run: string, ...more: string[]) => installation.cli(['open', run, ...more]);
const byHand = (run: string, script: string, ...more: string[]) => open(run, ...more, '--', 'sh', '-c', script);

async function events(run: string): Promise<Event[]> {
  const { stdout } = await installation.cli(['logs', run, '--json']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);
}

/** The command line as a process of its own, which can be killed. */
function opening(run: string, script: string): ChildProcess {
  return spawn(process.execPath, [bin, 'open', run, '--', 'sh', '-c', script], {
    cwd: installation.folder,
    env: installation.env,
    stdio: 'ignore',
  });
}

const ended = (child: ChildProcess) =>
  waitUntil(() => (child.exitCode ?? child.signalCode) !== null, { timeoutMs: 30_000, what: 'the end of `open`' });

async function hasFile(run: string, name: string): Promise<void> {
  const path = join(installation.home.workspaces, run, 'tree', name);
  await waitUntil(() => readFile(path, 'utf8').catch(() => ''), { timeoutMs: 30_000, what: name });
}

test('at an approval: the work is there to be changed, becomes a commit of the person, and waits there again', async () => {
  await using repository = await tempRepository(files);
  const run = await settled(repository, '--blueprint', 'ask');
  const before = await installation.show(run);
  const result = await byHand(run, 'cat made.txt; echo hand > hand.txt; exit 7');
  expect(result.stdout).toContain('agent\nHanded back: 1 file changed, in 1 commit');
  expect(result.code).toBe(7);
  const after = await installation.show(run);
  expect(after.state).toMatchObject({
    kind: 'parked',
    reason: { code: 'approval/wanted' },
    needs: { kind: 'approval', head: after.head },
  });
  expect(after.head).not.toBe(before.head);
  expect((await installation.cli(['approve', run, '--head', before.head])).code).toBe(1);
  expect((await installation.cli(['approve', run, '--head', after.head])).code).toBe(0);
  const { branch } = await installation.settled(run);
  const format = '--format=%an %ae %cn %s %(trailers:key=Switchyard-Run,valueonly)';
  const [name, email] = await Promise.all([
    repository.git('config', 'user.name'),
    repository.git('config', 'user.email'),
  ]);
  expect((await repository.git('log', '-1', format, branch ?? '')).trim()).toBe(
    `${name} ${email} Switchyard Do it (by hand) ${run}`,
  );
  expect(await repository.git('show', `${branch ?? ''}:hand.txt`)).toBe('hand');
  const journal = await events(run);
  expect(journal.filter(({ kind }) => kind === 'run.resumed')[0]).toMatchObject({ choice: 'open', head: after.head });
  expect(
    journal.some((event) => event.kind === 'message' && /by hand, in 1 commit .*: hand\.txt/.test(event.text)),
  ).toBe(true);
});

test('at work: the agent is stopped, its work kept apart, and its step goes on, told what the person has done', async () => {
  await using repository = await tempRepository(files);
  const run = await atWork(repository);
  const result = await byHand(
    run,
    'echo hand > hand.txt; git add hand.txt; git commit -qm "Mine"; echo 2 > two.txt',
    '--json',
  );
  expect(result.code).toBe(0);
  expect(JSON.parse(result.stdout)).toMatchObject({
    state: { kind: 'running' },
    changed: ['hand.txt', 'two.txt'],
    commits: 2,
    exitCode: 0,
  });
  const { state, branch, steps } = await installation.settled(run);
  expect(state).toMatchObject({ kind: 'succeeded' });
  expect(steps[0]).toMatchObject({ node: 'implement', n: 1, outcome: 'done', attempts: 2 });
  const subjects = await repository.git('log', '--format=%s', `main..${branch ?? ''}`);
  expect(subjects.split('\n')).toEqual(['Do it', 'Do it (by hand)', 'Mine', 'Do it (unfinished)']);
  expect(await repository.git('show', `${branch ?? ''}:ended.txt`)).toBe('more');
  expect(await repository.git('show', `${branch ?? ''}:told.txt`)).toContain('hand.txt, two.txt');
});

test('a step whose agent has nothing left to do after the person counts as done', async () => {
  await using repository = await tempRepository(files);
  const run = await atWork(repository);
  // The agent writes into an ignored file and one that stays as it is.
  await byHand(run, 'printf "told.txt\\nended.txt\\n" > .gitignore; git rm -q --cached told.txt');
  const { state, steps } = await installation.settled(run);
  expect(state.kind).toBe('succeeded');
  expect(steps[0]).toMatchObject({ outcome: 'done' });
});

test('with --stay a run that was at work waits, and a retry lets it go on', async () => {
  await using repository = await tempRepository(files);
  const run = await atWork(repository);
  expect((await byHand(run, 'echo hand > hand.txt', '--stay')).code).toBe(0);
  expect((await installation.show(run)).state).toMatchObject({
    kind: 'parked',
    reason: { code: 'open/waits' },
    needs: { choices: ['retry', 'abandoned'] },
  });
  const why = await installation.cli(['why', run]);
  expect(why.stdout).toContain('Its agent will be told what');
  expect(why.stdout).not.toMatch(/--back|out of the way|waits for its agent/);
  expect(why.stdout).toContain('switchyard retry');
  expect((await installation.cli(['approve', run, '--choice', 'retry'])).code).toBe(0);
  const { state, branch } = await installation.settled(run);
  expect(state.kind).toBe('succeeded');
  expect(await repository.git('show', `${branch ?? ''}:hand.txt`)).toBe('hand');
});

test('with --stay, --back then lets it go on where it was', async () => {
  await using repository = await tempRepository(files);
  const run = await atWork(repository);
  expect((await byHand(run, 'echo hand > hand.txt', '--stay')).code).toBe(0);
  const back = await open(run, '--back', '--json');
  expect(JSON.parse(back.stdout)).toMatchObject({ state: { kind: 'running' }, commits: 0, working: true });
  expect((await installation.settled(run)).state.kind).toBe('succeeded');
});

test('what a person has mended where an agent had come to its bound is checked next, and no agent touches it', async () => {
  await using repository = await tempRepository(checked);
  const run = await settled(repository, ...WRONG);
  expect((await installation.show(run)).state).toMatchObject({ kind: 'parked', reason: { code: 'limit/max' } });
  expect((await installation.cli(['why', run])).stdout).toMatch(/waits at fix\./);
  const back = await byHand(run, 'echo right > fixed.txt');
  expect(back.stdout).toMatch(/To check what you changed, with check: switchyard retry /);
  const { stdout } = await installation.cli(['why', run]);
  expect(stdout).toMatch(/switchyard retry \S+ +check what you changed/);
  expect(stdout).toContain('a retry begins with check');
  expect((await installation.cli(['retry', run])).code).toBe(0);
  const done = await installation.settled(run);
  expect(done.state.kind).toBe('succeeded');
  expect(steps(done).slice(3)).toEqual(['check#2 fail', 'check#3 pass']);
  const { stdout: diff } = await installation.cli(['diff', run]);
  expect(diff).toContain('+right');
});

test('an agent that goes on after a person has changed files is told so, and that its report is of an earlier state', async () => {
  await using repository = await tempRepository(checked);
  const run = await settled(repository, ...WRONG);
  await byHand(run, 'echo other > fixed.txt; : > told.txt');
  expect((await installation.cli(['retry', run, '--from', 'fix'])).code).toBe(0);
  await installation.settled(run);
  const told = await readFile(join(installation.home.workspaces, run, 'tree', 'told.txt'), 'utf8');
  expect(told).toMatch(/\(Of an earlier state, [0-9a-f]{12}: files have changed since\.\)\n/);
  expect(told).toMatch(
    /Since you last worked, a person .* They have changed, and it is committed: fixed\.txt, told\.txt\./,
  );
});

test('so it is for a message after that, and not for a report on the head', async () => {
  await using repository = await tempRepository(checked);
  const run = await settled(repository, ...WRONG);
  const before = await readFile(join(installation.home.workspaces, run, 'tree', 'told.txt'), 'utf8');
  expect(before).toContain('What failed');
  expect(before).not.toContain('earlier state');
  await byHand(run, ': > told.txt');
  expect((await installation.cli(['send', run, 'Mind the colour'])).code).toBe(0);
  await installation.settled(run);
  const told = await readFile(join(installation.home.workspaces, run, 'tree', 'told.txt'), 'utf8');
  expect(told).toContain('it is committed: told.txt.');
  expect(told).toContain('Mind the colour');
});

test('a finished run is finished again, with the new head, and says that no check has seen it', async () => {
  await using repository = await tempRepository(files);
  const run = await settled(repository, '--blueprint', 'straight');
  const before = await installation.show(run);
  const result = await byHand(run, 'echo hand > hand.txt');
  expect(result.stdout).toContain('No check has run on this head.');
  const after = await installation.show(run);
  expect(after.state).toEqual(before.state);
  expect(after.head).not.toBe(before.head);
  expect((await installation.cli(['diff', run])).stdout).toContain('+hand');
  const unchanged = await byHand(run, 'true');
  expect(unchanged.stdout).toContain('nothing has changed');
  expect((await installation.show(run)).head).toBe(after.head);
});

test('while it is open nothing else is done with it; taking it back ends what runs there and loses nothing', async () => {
  await using repository = await tempRepository(files);
  const run = await settled(repository, '--blueprint', 'ask');
  const sleep = uniqueSleep();
  const child = opening(run, `echo hand > hand.txt; setsid sleep ${sleep} & sleep ${sleep}`);
  await hasFile(run, 'hand.txt');
  expect((await installation.show(run)).state).toMatchObject({ kind: 'parked', reason: { code: 'open' } });
  for (const refused of [
    ['approve', run, '--choice', 'retry'],
    ['cancel', run],
    ['discard', run, '--yes'],
    ['merge', run],
    ['open', run, '--', 'true'],
  ]) {
    const result = await installation.cli([...refused.slice(0, 2), '--json', ...refused.slice(2)]);
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stderr)).toMatchObject({ code: 'run/open' });
  }
  const back = await open(run, '--back', '--json');
  expect(JSON.parse(back.stdout)).toMatchObject({
    changed: ['hand.txt'],
    state: { reason: { code: 'approval/wanted' } },
  });
  expect(processesWith(sleep)).toEqual([]);
  await ended(child);
  const again = await open(run, '--back', '--json');
  expect(JSON.parse(again.stderr)).toMatchObject({ code: 'run/not-open' });
});

test('a command line that is killed leaves nothing running; what was done is taken in by whatever comes next', async () => {
  await using repository = await tempRepository(files);
  const run = await atWork(repository);
  const sleep = uniqueSleep();
  const child = opening(run, `echo hand > hand.txt; setsid sleep ${sleep} & sleep ${sleep}`);
  await hasFile(run, 'hand.txt');
  child.kill('SIGKILL');
  await ended(child);
  await untilProcessesWith(sleep, 0);
  expect((await installation.show(run)).state).toMatchObject({ kind: 'parked', reason: { code: 'open' } });
  // Opened again: what was left is a commit already, and the run goes on from there.
  const opened = await byHand(run, 'git log -1 --format=%s; git status --porcelain; echo two > two.txt');
  expect(opened.stdout).toMatch(/^Do it \(by hand\)\nHanded back/);
  const { state, branch } = await installation.settled(run);
  expect(state.kind).toBe('succeeded');
  expect(await repository.git('show', `${branch ?? ''}:hand.txt`)).toBe('hand');
  expect(await repository.git('show', `${branch ?? ''}:two.txt`)).toBe('two');
});

test('left open by a dead command line, an approval takes in what was done first', async () => {
  await using repository = await tempRepository(files);
  const run = await settled(repository, '--blueprint', 'ask');
  const child = opening(run, 'echo hand > hand.txt; sleep 600');
  await hasFile(run, 'hand.txt');
  child.kill('SIGKILL');
  await ended(child);
  const looked = (await installation.show(run)).head;
  expect((await installation.cli(['approve', run, '--head', looked])).code).toBe(1);
  expect((await installation.cli(['approve', run])).code).toBe(0);
  const { branch } = await installation.settled(run);
  expect(await repository.git('show', `${branch ?? ''}:hand.txt`)).toBe('hand');
});

test('a daemon that dies meanwhile is started again by the command line, which hands the run back', async () => {
  await using repository = await tempRepository(files);
  const run = await atWork(repository);
  const go = join(installation.folder, 'go');
  const child = opening(run, `echo hand > hand.txt; while [ ! -f ${go} ]; do sleep 0.05; done; echo two > two.txt`);
  await hasFile(run, 'hand.txt');
  const { pid } = await installation.client.call('health', {});
  process.kill(pid, 'SIGKILL');
  // Even whoever clears away what the daemon has left leaves the person's program be.
  const cleared = await installation.cli(['doctor', '--fix', '--json']);
  expect(cleared.stdout).not.toContain('"process"');
  await writeFile(go, '');
  await ended(child);
  expect(child.exitCode).toBe(0);
  const { state, branch } = await installation.settled(run);
  expect(state.kind).toBe('succeeded');
  expect(await repository.git('show', `${branch ?? ''}:two.txt`)).toBe('two');
});

test('the editor gets the folder, and its changes are taken in like any others', async () => {
  await using repository = await tempRepository(files);
  const run = await settled(repository, '--blueprint', 'ask');
  const editor = join(installation.folder, 'my editor');
  await writeFile(editor, '#!/bin/sh\necho edited > "$1/edited.txt"\n', { mode: 0o755 });
  const result = await installation.cli(['open', run, '--editor'], { env: { EDITOR: `'${editor}'` } });
  expect(result.stderr).toContain('outside of the sandbox');
  expect(result.stdout).toContain('  edited.txt');
});

test('an editor is not ended from elsewhere, also where it outlives its command line: until it has ended the run is theirs', async () => {
  await using repository = await tempRepository(held());
  const run = await settled(repository, '--blueprint', 'ask');
  // Made again for the editor, the workspace is set up first: within walls of its own.
  await installation.loseWorkspace(run);
  const go = join(installation.folder, `go-${run}`);
  const editor = join(installation.folder, 'waiting-editor');
  await writeFile(
    editor,
    `#!/bin/sh\necho $$ > "$1/editor.pid"\nwhile [ ! -f '${go}' ]; do sleep 0.05; done\necho late > "$1/late.txt"\n`,
    { mode: 0o755 },
  );
  const child = spawn(process.execPath, [bin, 'open', run, '--editor'], {
    cwd: installation.folder,
    env: { ...installation.env, EDITOR: editor },
    stdio: 'ignore',
  });
  await hasFile(run, 'editor.pid');
  const refused = { code: 'run/open', hint: expect.stringContaining('cannot be ended from here') };
  expect(JSON.parse((await open(run, '--back', '--json')).stderr)).toMatchObject(refused);
  child.kill('SIGKILL');
  await ended(child);
  for (const command of [
    ['open', run, '--back'],
    ['open', run, '--editor'],
    ['approve', run],
  ])
    expect(JSON.parse((await installation.cli([...command, '--json'])).stderr)).toMatchObject(refused);
  expect((await installation.show(run)).state).toMatchObject({ reason: { code: 'open' } });
  await writeFile(go, '');
  await waitUntil(async () => (await open(run, '--back')).code === 0, {
    timeoutMs: 60_000,
    what: 'the end of the editor',
  });
  const { head, state } = await installation.show(run);
  expect(state).toMatchObject({ reason: { code: 'approval/wanted' } });
  expect((await installation.cli(['diff', run])).stdout).toContain('late.txt');
  expect(head).not.toBe('');
});

test('whoever is gone before the workspace is set up does not keep the run, whether or not the daemon lives', async () => {
  await using repository = await tempRepository(held());
  const run = await settled(repository, '--blueprint', 'ask');
  for (const dies of [false, true]) {
    await installation.loseWorkspace(run);
    await writeFile(hold, '');
    const child = opening(run, 'echo never > never.txt');
    await waitUntil(() => isThere(`${hold}.reached`), { timeoutMs: 30_000, what: 'setup' });
    expect((await installation.show(run)).state).toMatchObject({ reason: { code: 'open' } });
    child.kill('SIGKILL');
    await ended(child);
    if (dies) process.kill((await installation.client.call('health', {})).pid, 'SIGKILL');
    await rm(hold);
    await rm(`${hold}.reached`);
    await waitUntil(
      async () => {
        const { stdout } = await installation.cli(['show', run, '--json']);
        return stdout.includes('"approval/wanted"');
      },
      { timeoutMs: 60_000, what: 'the run to wait for its approval' },
    );
    expect((await installation.cli(['approve', run, '--choice', 'changes', '--json'])).stderr).not.toContain(
      'run/open',
    );
    await installation.settled(run);
  }
});

test('what cannot be opened goes on as it was', async () => {
  await using repository = await tempRepository(files);
  const run = await settled(repository, '--blueprint', 'ask');
  const before = await installation.show(run);
  expect((await open(run, '--', 'no-such-program', '--json')).code).toBe(1);
  expect((await installation.show(run)).state).toEqual(before.state);
  const terminal = await open(run);
  expect(terminal.code).toBe(2);
  expect(terminal.stderr).toContain('switchyard open RUN -- COMMAND');
  expect((await installation.cli(['discard', run, '--yes'])).code).toBe(0);
  expect((await byHand(run, 'true')).stderr).toContain('switchyard restore');
});

test('with another worker that lives it is refused; once that is gone the workspace is made again from its checkpoint', async () => {
  await using other = await Installation.create({
    config: `agents:\n  slow: { kind: custom, command: [sh, -c, ${JSON.stringify(SLOW)}] }\n`,
  });
  await other.startDaemon({}, ['--no-worker']);
  const worker = await other.startWorker('second');
  await using repository = await tempRepository(files);
  const started = await other.cli(['run', 'Do it', '--detach', '--json', '--blueprint', 'straight'], {
    cwd: repository.path,
  });
  const { run } = JSON.parse(started.stdout) as { run: string };
  const begun = join(other.folder, 'second', 'workspaces', run, 'tree', 'begun.txt');
  await waitUntil(() => readFile(begun, 'utf8').catch(() => ''), { timeoutMs: 30_000, what: 'the agent at work' });
  const refused = await other.cli(['open', run, '--json', '--', 'true']);
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stderr)).toMatchObject({ code: 'open/elsewhere' });
  // Its agent was not even disturbed.
  expect(await other.show(run)).toMatchObject({ state: { kind: 'running' }, steps: [{ attempts: 1 }] });

  // It is given back when its worker stops, with what the agent has done as a checkpoint.
  worker.kill('SIGTERM');
  await waitUntil(() => worker.exitCode !== null, { timeoutMs: 30_000, what: 'the end of the worker' });
  const opened = spawn(process.execPath, [bin, 'open', run, '--', 'sh', '-c', 'cp begun.txt hand.txt; sleep 600'], {
    cwd: other.folder,
    env: other.env,
    stdio: 'ignore',
  });
  const hand = join(other.home.workspaces, run, 'tree', 'hand.txt');
  await waitUntil(() => readFile(hand, 'utf8').catch(() => ''), { timeoutMs: 30_000, what: 'the work by hand' });
  // Left open, it is found here by whoever opens it next, though the dead worker was the last to work on it.
  opened.kill('SIGKILL');
  await ended(opened);
  const again = await other.cli(['open', run, '--', 'cat', 'hand.txt']);
  expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/^agent\n/) });
});
