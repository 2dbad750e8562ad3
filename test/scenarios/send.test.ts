import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { type TempRepository, tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/**
 * Saying something to agents at work, to runs that wait and to runs that are over; trying again; forking. The agent writes down what it
 * is told and in which session, and works for as long as a file is missing that its prompt names.
 */

const AGENT = `
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
const prompt = readFileSync(0, 'utf8');
const { LOG, GATES, NAME, SWITCHYARD_RUN: run, SWITCHYARD_NODE: node, SWITCHYARD_STEP: step, SWITCHYARD_SESSION: given } = process.env;
const tell = (event) => process.stdout.write(JSON.stringify(event) + '\\n');
const session = given || NAME + '-' + run;
tell({ kind: 'session', id: session });
appendFileSync(LOG, JSON.stringify({ run, agent: NAME, step: node + '#' + step, session: given || null, prompt }) + '\\n');
appendFileSync('work.txt', 'a turn\\n');
const gate = prompt.match(/GATE-(\\w+)/)?.[1];
if (gate !== undefined) tell({ kind: 'text', text: 'Waiting for ' + gate });
while (gate !== undefined && !existsSync(GATES + '/' + gate)) await new Promise((wake) => setTimeout(wake, 20));
tell({ kind: 'text', text: 'Done.' });
tell({ kind: 'end', result: { kind: 'done' } });
`;

interface Heard {
  readonly run: string;
  readonly agent: string;
  readonly step: string;
  readonly session: string | null;
  readonly prompt: string;
}

let installation: Installation;
let repository: TempRepository;

beforeAll(async () => {
  installation = await Installation.create();
  const { folder, home } = installation;
  const agent = join(folder, 'agent.mjs');
  await writeFile(agent, AGENT);
  const entry = (name: string) =>
    `  ${name}: { kind: custom, command: [${process.execPath}, ${agent}], format: jsonl, env: { NAME: ${name}, LOG: ${folder}/log, GATES: ${folder} } }`;
  await writeFile(home.config, `sandbox: pid\nagents:\n${entry('one')}\n${entry('two')}\ndefaults: { agent: one }\n`);
  repository = await tempRepository({
    'base.txt': 'base\n',
    '.switchyard/config.yaml': 'checks:\n  present: { run: "test -f work.txt", kind: test }\nsetup: none\n',
  });
});
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
  await repository[Symbol.asyncDispose]();
});

const cli = (...args: string[]) => installation.cli(args, { cwd: repository.path });
const open = (gate: string) => writeFile(join(installation.folder, gate), '');

async function heard(run: string): Promise<Heard[]> {
  const text = await readFile(join(installation.folder, 'log'), 'utf8').catch(() => '');
  const all = text.split('\n').filter((line) => line !== '');
  return all.map((line) => JSON.parse(line) as Heard).filter((one) => one.run === run);
}

async function start(task: string): Promise<string> {
  const result = await cli('run', task, '--detach', '--json');
  expect(result.stderr).toBe('');
  return (JSON.parse(result.stdout) as { run: string }).run;
}

async function turns(run: string, count: number): Promise<Heard[]> {
  return waitUntil(
    async () => {
      const all = await heard(run);
      return all.length >= count ? all : undefined;
    },
    { timeoutMs: 30_000, what: `${count} turns of ${run}` },
  );
}

const outcomes = async (run: string) =>
  (await installation.show(run)).steps.map(({ node, n, outcome }) => `${node}#${n} ${outcome}`);

test('two messages to an agent at work are one further turn of the same step, in its session', async () => {
  const run = await start('Wait for GATE-first');
  await turns(run, 1);
  const first = await cli('send', run, 'mind the tabs');
  expect(first.stdout).toContain('It is delivered when the present turn of implement #1 ends.');
  const second = await installation.cli(['send', run, '-', '--json'], { cwd: repository.path, input: 'and the docs' });
  expect(JSON.parse(second.stdout)).toMatchObject({ schema: 1, run, state: 'queued' });
  await open('first');
  expect((await installation.settled(run)).state.kind).toBe('succeeded');
  const [, told, ...more] = await heard(run);
  expect(more).toEqual([]);
  expect(told).toMatchObject({ step: 'implement#1', session: `one-${run}` });
  expect(told?.prompt).toMatch(/says:\n\nmind the tabs\n\n.+ says:\n\nand the docs\n/);
  expect(await outcomes(run)).toEqual(['implement#1 done', 'check#1 pass', 'deliver#1 delivered']);
});

test('--now interrupts the turn, keeps what was done, and goes on with the message at once', async () => {
  const run = await start('Wait for GATE-never');
  await waitUntil(async () => (await cli('logs', run)).stdout.includes('Waiting for never'), { timeoutMs: 30_000 });
  const sent = await cli('send', run, 'never mind, stop waiting', '--now', '--wait', '--json');
  expect(sent.code).toBe(0);
  const [answer, delivered] = sent.stdout.trim().split('\n');
  expect(JSON.parse(answer ?? '')).toMatchObject({ state: 'delivering' });
  expect(JSON.parse(delivered ?? '')).toMatchObject({ state: 'delivered', node: 'implement', n: 1 });
  expect((await installation.settled(run)).state.kind).toBe('succeeded');
  const [, told] = await heard(run);
  expect(told).toMatchObject({ step: 'implement#1', session: `one-${run}` });
  expect(told?.prompt).toContain('You were stopped in the middle of your turn');
  const diff = await cli('diff', run);
  expect(diff.stdout.match(/\+a turn/g)).toHaveLength(2);
});

test('a worker that dies between taking a message and the turn for it loses nothing of it, and tells it once', async () => {
  await cli('server', 'down');
  await installation.startDaemon({ SWITCHYARD_CRASH_POINT: 'agent-spawn.before:2' });
  const run = await start('Wait for GATE-crash');
  await turns(run, 1);
  await cli('send', run, 'survive this');
  await open('crash');
  await waitUntil(async () => !(await installation.answers()), { timeoutMs: 30_000, what: 'the daemon to die' });
  await installation.startDaemon();
  expect((await installation.settled(run)).state.kind).toBe('succeeded');
  const prompts = (await heard(run)).map(({ prompt }) => prompt);
  expect(prompts).toHaveLength(2);
  expect(prompts.filter((prompt) => prompt.includes('survive this'))).toHaveLength(1);
  expect(prompts[1]).toContain('You were interrupted');
});

test('a run that is over goes on with a message: same branch, same session, checked and delivered again', async () => {
  const run = await start('Something small');
  const before = await installation.settled(run);
  const sent = await cli('send', run, 'one more thing');
  expect(sent.stdout).toContain('The run goes on at implement #2.');
  await turns(run, 2);
  const after = await installation.settled(run);
  expect(after.state.kind).toBe('succeeded');
  expect(await outcomes(run)).toEqual([
    'implement#1 done',
    'check#1 pass',
    'deliver#1 delivered',
    'implement#2 done',
    'check#2 pass',
    'deliver#2 delivered',
  ]);
  expect((await heard(run))[1]).toMatchObject({
    session: `one-${run}`,
    prompt: expect.stringContaining('one more thing') as string,
  });
  expect(await repository.git('rev-parse', `switchyard/${after.slug}^`)).toBe(before.head);
});

test('a merged run goes on from the target as it is now, and is merged again', async () => {
  const run = await start('Something to merge');
  await installation.settled(run);
  expect((await cli('merge', run)).code).toBe(0);
  await repository.commit({ 'theirs.txt': 'theirs\n' }, 'Theirs');
  const tip = await repository.git('rev-parse', 'main');
  await cli('send', run, 'the other half');
  await turns(run, 2);
  const after = await installation.settled(run);
  expect(after).toMatchObject({ state: { kind: 'succeeded' }, base: { commit: tip } });
  expect(after.merged).toBeUndefined();
  expect((await cli('diff', run)).stdout).not.toContain('theirs.txt');
  expect((await cli('merge', run)).code).toBe(0);
  expect(await repository.git('rev-parse', 'main^')).toBe(tip);
  expect((await installation.show(run)).merged?.commit).toBe(await repository.git('rev-parse', 'main'));
});

test('a fork with another agent hands the work over; it can be retried from a node, and the first run stays as it is', async () => {
  const run = await start('Something to fork');
  const before = await installation.settled(run);
  const forked = await cli('fork', run, '--from', 'implement#1', '--agent', 'two', '--prompt', 'use a map', '--json');
  expect(forked.code).toBe(0);
  const events = forked.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { run: string; kind: string });
  const id = events[0]?.run ?? '';
  expect(events[0]).toMatchObject({ kind: 'run.started', forkedFrom: { run, node: 'implement', n: 1 } });
  expect(await heard(id)).toEqual([
    expect.objectContaining({
      agent: 'two',
      step: 'implement#2',
      session: null,
      prompt: expect.stringContaining('use a map') as string,
    }),
  ]);
  expect((await heard(id))[0]?.prompt).toContain('Another agent has worked on this before you.');
  expect(await outcomes(id)).toEqual(['implement#1 done', 'implement#2 done', 'check#1 pass', 'deliver#1 delivered']);
  const shown = await cli('show', id);
  expect(shown.stdout).toContain(`from ${before.slug} after implement #1`);
  expect(await installation.show(run)).toEqual(before);
  expect(await repository.git('rev-parse', `switchyard/${before.slug}`)).toBe(before.head);
  expect((await cli('retry', id)).code).toBe(1);
  expect((await cli('fork', run)).code).toBe(1);
  expect((await cli('fork', run, '--from', 'nothing#1')).code).toBe(5);
});

test('a fork with the same agent forks its session', async () => {
  const run = await start('Something else to fork');
  await installation.settled(run);
  const forked = await cli('fork', run, '--from', 'implement#1', '--prompt', 'shorter', '--detach', '--json');
  const { run: id } = JSON.parse(forked.stdout) as { run: string };
  const [told] = await turns(id, 1);
  expect(told).toMatchObject({ agent: 'one', session: `one-${run}` });
  expect((await installation.settled(id)).state.kind).toBe('succeeded');
});
