import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../lib/wait-until.ts';
import { messagesOf } from '../store/messages.ts';
import { commitId } from './fixture/commits.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { outcome } from './fixture/script.ts';
import { handBackRun } from './hand-back.ts';
import { type Asking, askForRun } from './hold.ts';
import { placeOf } from './place-of.ts';
import { retryRun } from './retry.ts';

let fixture: EngineFixture;

beforeAll(async () => {
  fixture = await engineFixture();
  await fixture.worker();
});

beforeEach(() => fixture.script.clear());

afterAll(() => fixture[Symbol.asyncDispose]());

const actor = { kind: 'person', name: 'ada' } as const;
const nodes = async (id: string) => (await fixture.steps(id)).map((step) => `${step.node}#${step.n} ${step.outcome}`);

const LOOP = `
start: implement
nodes:
  implement: { agent: default, next: check, on: { unchanged: park } }
  check: { check: all, next: done, on: { fail: fix, error: park } }
  fix: { agent: default, max: 1, with: { failure: $check.report }, next: check, on: { unchanged: park } }
`;
const NONE = `
start: implement
nodes:
  implement: { agent: default, next: done, on: { unchanged: park } }
`;

/** A person opens the run, and hands it back with this head. */
async function byHand(id: string, name: string): Promise<void> {
  const asking: Asking = { id: name, by: 'ada', tool: 'shell', worker: 'w1', client: { pid: process.pid } };
  await askForRun(fixture.engine, id, asking, undefined);
  const { head: before } = await fixture.run(id);
  const head = name.startsWith('nothing') ? before : commitId(name);
  const toAgent = head === before ? undefined : `ada has changed ${name}.`;
  await handBackRun(fixture.engine, id, { opening: name, head, said: [], toAgent, stay: false, actor });
}

const needsOf = async (id: string) => {
  const { state } = await fixture.run(id);
  return state.kind === 'parked' ? state.needs : undefined;
};

test('what a person has changed by hand is checked first, and an agent comes only where that fails', async () => {
  fixture.script.on('check', outcome('fail'), outcome('fail'), outcome('pass'));
  const id = await fixture.start(LOOP);
  await fixture.reaches(id, 'parked');
  expect(await nodes(id)).toEqual(['implement#1 done', 'check#1 fail', 'fix#1 done', 'check#2 fail']);
  await byHand(id, 'mended');
  expect(await needsOf(id)).toMatchObject({ kind: 'limit', verify: 'check', head: commitId('mended') });
  await retryRun(fixture.engine, id, { actor });
  await fixture.reaches(id, 'succeeded');
  expect((await nodes(id)).slice(4)).toEqual(['check#3 pass']);
  // Nobody had to be told, so the run does not go on for it.
  expect((await messagesOf(fixture.engine.database, id)).map(({ heard_at }) => heard_at)).toEqual([null]);
});

test('where the check still fails, the agent has its bound again, and is told what was changed', async () => {
  fixture.script.on('check', outcome('fail'), outcome('fail'), outcome('fail'), outcome('pass'));
  const told: string[] = [];
  fixture.script.on('fix', async ({ messages, step }) => {
    for (const { text } of await messages.take()) told.push(`fix#${step.n}: ${text}`);
    await messages.heard();
    return { kind: 'outcome', outcome: 'done' };
  });
  const id = await fixture.start(LOOP);
  await fixture.reaches(id, 'parked');
  await byHand(id, 'half');
  await retryRun(fixture.engine, id, { actor });
  await fixture.reaches(id, 'succeeded');
  expect((await nodes(id)).slice(4)).toEqual(['check#3 fail', 'fix#2 done', 'check#4 pass']);
  expect(told).toEqual(['fix#2: ada has changed half.']);
});

test('where nothing was changed, or no check was passed through, a retry is as before', async () => {
  fixture.script.on('check', outcome('fail'), outcome('fail'), outcome('pass'));
  const id = await fixture.start(LOOP);
  await fixture.reaches(id, 'parked');
  await byHand(id, 'nothing-1');
  expect(await needsOf(id)).not.toHaveProperty('verify');
  await retryRun(fixture.engine, id, { actor });
  await fixture.reaches(id, 'succeeded');
  expect((await nodes(id)).slice(4)).toEqual(['fix#2 done', 'check#3 pass']);

  fixture.script.on('implement', outcome('unchanged'), outcome('done'));
  const none = await fixture.start(NONE);
  await fixture.reaches(none, 'parked');
  await byHand(none, 'changed');
  expect(await needsOf(none)).not.toHaveProperty('verify');
  await retryRun(fixture.engine, none, { actor });
  await fixture.reaches(none, 'succeeded');
});

test('a person who opens it again and changes nothing more has it checked all the same', async () => {
  fixture.script.on('check', outcome('fail'), outcome('fail'), outcome('pass'));
  const id = await fixture.start(LOOP);
  await fixture.reaches(id, 'parked');
  await byHand(id, 'mended-1');
  await byHand(id, 'nothing-2');
  await retryRun(fixture.engine, id, { actor });
  await fixture.reaches(id, 'succeeded');
  expect((await nodes(id)).slice(4)).toEqual(['check#3 pass']);
});

test('retry from a node is what the person says, whatever was changed', async () => {
  fixture.script.on('check', outcome('fail'), outcome('fail'), outcome('pass'));
  const id = await fixture.start(LOOP);
  await fixture.reaches(id, 'parked');
  await byHand(id, 'mended-3');
  await retryRun(fixture.engine, id, { from: 'fix', actor });
  await fixture.reaches(id, 'succeeded');
  expect((await nodes(id)).slice(4)).toEqual(['fix#2 done', 'check#3 pass']);
});

test('a run that waits is in one place: where its journal says that it waits', async () => {
  fixture.script.on('check', outcome('fail'));
  const id = await fixture.start(LOOP);
  await fixture.reaches(id, 'parked');
  await waitUntil(async () => (await fixture.events(id)).some(({ kind }) => kind === 'run.parked'), {
    timeoutMs: 5_000,
  });
  const parked = (await fixture.events(id)).find(({ kind }) => kind === 'run.parked');
  const steps = await fixture.steps(id);
  expect(steps.at(-1)?.node).toBe('check');
  expect(placeOf(await fixture.run(id), steps.at(-1))).toEqual({ node: 'fix' });
  expect(parked).toMatchObject({ node: 'fix' });
});
