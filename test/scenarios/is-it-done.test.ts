import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/** Whether a step is done is found out; an agent that gets no further parks its run with what shows it. */

const again = (count: number, ...actions: readonly object[]) => Array.from({ length: count }, () => actions).flat();
const FAILS = { run: 'echo "1 failed"; exit 1' };

/** By agent and node, what each step does. A further turn of a step does the same as its first. */
const SCRIPTS: Readonly<Record<string, Readonly<Record<string, readonly (readonly object[])[]>>>> = {
  mends: { implement: [[{ run: 'echo x >> tries; [ $(wc -l < tries) -lt 2 ] || touch good' }]] },
  hopes: { implement: [[{ run: 'date +%s%N >> tries' }]] },
  spins: { implement: [[{ write: { path: 'kept.txt', text: 'kept' } }, ...again(5, FAILS), { hang: true }]] },
  'spins-a-little': { implement: [[{ write: { path: 'good', text: '' } }, ...again(6, FAILS)]] },
  edits: { implement: [Array.from({ length: 8 }, (_, index) => ({ write: { path: 'good', text: String(index) } }))] },
  reverts: {
    implement: [[{ write: { path: 'a', text: '1' } }]],
    fix: [
      [{ write: { path: 'a', text: '2' } }],
      [{ write: { path: 'a', text: '1' } }],
      [{ write: { path: 'good', text: '' } }],
    ],
  },
};

const LIMITED = `echo '{"kind":"session","id":"s1"}'; echo x >> tries
if [ $(wc -l < tries) -lt 2 ]; then
  echo '{"kind":"end","result":{"kind":"failed","failure":{"class":"rate-limit","message":"status 429, try again in 1s","hint":"Wait."}}}'
else touch good; echo '{"kind":"end"}'; fi`;

const BLUEPRINTS = {
  till: `start: implement
nodes:
  implement: { agent: default, done-when: [test], next: done, on: { unchanged: park } }
`,
  fix: `start: implement
nodes:
  implement: { agent: default, next: check, on: { unchanged: park } }
  check: { check: good, max: 20, on: { pass: done, fixed: check, fail: fix, missing: park } }
  fix: { agent: same, session: resume implement, with: { failure: $check.report }, max: 10, next: check, on: { unchanged: park } }
`,
};

let installation: Installation;

beforeAll(async () => {
  const scripted = Object.keys(SCRIPTS).map((name) => [name, { kind: 'scripted', script: `${name}.yaml` }]);
  const limited = { kind: 'custom', format: 'jsonl', command: ['sh', '-c', LIMITED] };
  const files = Object.entries(SCRIPTS).map(([name, steps]) => [`${name}.yaml`, stringify({ steps })]);
  installation = await Installation.create({
    config: stringify({ agents: { ...Object.fromEntries(scripted), limited } }),
    files: Object.fromEntries(files),
  });
});
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
});

function filesWith(blueprint: keyof typeof BLUEPRINTS) {
  const good = { run: 'test -e good || { echo "a.ts:1:1: error: not good"; exit 1; }', kind: 'test' };
  return {
    'README.md': 'x\n',
    '.switchyard/config.yaml': stringify({ setup: 'none', checks: { good } }),
    [`.switchyard/blueprints/${blueprint}.yaml`]: BLUEPRINTS[blueprint],
  };
}

async function runWith(agent: string, blueprint: keyof typeof BLUEPRINTS, ...more: string[]) {
  await using repository = await tempRepository(filesWith(blueprint));
  const args = ['run', `Try ${agent}`, '--agent', agent, '--blueprint', blueprint, '--json', ...more];
  const result = await installation.cli(args, { cwd: repository.path });
  const { run } = JSON.parse(result.stdout.split('\n')[0] ?? '{}') as { run: string };
  return { result, detail: await installation.show(run) };
}

test('an agent whose done-when fails is told, and is done once it passes', async () => {
  const { result, detail } = await runWith('mends', 'till');
  expect(result.code).toBe(0);
  expect(detail.steps.map(({ outcome }) => outcome)).toEqual(['done']);
  expect(result.stdout).toMatch(/"verdict":"fail".*round 1 of 3.*"verdict":"pass"/s);
});

test('an agent whose done-when never passes is exhausted after its rounds', async () => {
  const { result, detail } = await runWith('hopes', 'till');
  expect(result.code).toBe(3);
  expect(detail.steps.map(({ outcome }) => outcome)).toEqual(['exhausted']);
  expect(detail.state).toMatchObject({
    kind: 'parked',
    reason: { code: 'limit/done-when', message: expect.stringContaining('good still fails after 3 rounds') },
    needs: { kind: 'limit', choices: ['retry', 'abandoned'] },
  });
});

test('an agent that does the same again and again is stopped with the evidence, and its work is kept', async () => {
  const { result, detail } = await runWith('spins', 'till');
  expect(result.code).toBe(3);
  expect(detail.state).toMatchObject({
    reason: {
      code: 'agent/no-progress',
      message: expect.stringMatching(/echo "1 failed"; exit 1.* 5 times in a row .*first at .*last at .*1 failed/),
    },
    needs: { kind: 'limit' },
  });
  const { patch } = await installation.client.call('diffRun', {}, { run: detail.id });
  expect(patch).toContain('kept.txt');
});

test('a higher limit lets an agent do the same for longer', async () => {
  const { result } = await runWith('spins-a-little', 'till', '--limit', 'repeats=8');
  expect(result.code).toBe(0);
});

test('edits of one file that are told by its path alone are no loop', async () => {
  const { result } = await runWith('edits', 'till');
  expect(result.code).toBe(0);
});

test('fixes that take each other back park the run, and a retry goes on from there', async () => {
  const { result, detail } = await runWith('reverts', 'fix');
  expect(result.code).toBe(3);
  expect(detail.steps.map(({ node, outcome }) => `${node} ${outcome}`)).toEqual([
    'implement done',
    'check fail',
    'fix done',
    'check fail',
    'fix done',
    'check stalled',
  ]);
  expect(detail.state).toMatchObject({
    reason: {
      code: 'agent/no-progress',
      message: expect.stringMatching(/^The fixes go round in circles: good failed at commit/),
    },
  });
  await installation.client.call('decideRun', { choice: 'retry', actor: 'test' }, { run: detail.id });
  const after = await installation.settled(detail.id);
  expect(after.state.kind).toBe('succeeded');
  expect(after.steps.slice(6).map(({ node, outcome }) => `${node} ${outcome}`)).toEqual([
    'check fail',
    'fix done',
    'check pass',
  ]);
});

test('a turn that was rate-limited is tried again after the pause that the server asks for', async () => {
  const { result, detail } = await runWith('limited', 'till');
  expect(result.code).toBe(0);
  expect(detail.steps.map(({ outcome, attempts }) => [outcome, attempts])).toEqual([['done', 1]]);
  expect(result.stdout).toContain('limited: rate-limited (status 429, try again in 1s); trying again in 1s (2 of 3)');
});

test('a daemon that dies between two turns of a step loses nothing: the step goes on, and is done', async () => {
  await using own = await Installation.create({
    config: stringify({ agents: { mends: { kind: 'scripted', script: 'mends.yaml' } } }),
    files: { 'mends.yaml': stringify({ steps: SCRIPTS['mends'] }) },
  });
  await using repository = await tempRepository(filesWith('till'));
  const daemon = await own.startDaemon({ SWITCHYARD_CRASH_POINT: 'agent-spawn.before:2' });
  const died = new Promise((resolve) => {
    daemon.once('exit', (_, signal) => resolve(signal));
  });
  const args = ['run', 'Try it', '--agent', 'mends', '--blueprint', 'till', '--json', '--detach'];
  const { run } = JSON.parse((await own.cli(args, { cwd: repository.path })).stdout) as { run: string };
  expect(await died).toBe('SIGKILL');
  await own.startDaemon();
  const detail = await own.settled(run);
  expect(detail.state.kind).toBe('succeeded');
  expect(detail.steps.map(({ outcome, attempts }) => [outcome, attempts])).toEqual([['done', 2]]);
  const { patch } = await own.client.call('diffRun', {}, { run });
  expect(patch).toContain('b/tries');
});
