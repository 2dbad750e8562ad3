import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { cancelRun } from '../engine/cancel.ts';
import { type EngineFixture, engineFixture } from '../engine/fixture/engine-fixture.ts';
import { type Gate, gate, outcome } from '../engine/fixture/script.ts';
import { mergeRun } from '../engine/merge-aside.ts';
import { discardRun } from '../engine/trash.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { updateRun } from '../store/runs.ts';
import { runDetail } from './views.ts';
import { whyRun } from './why-run.ts';

let fixture: EngineFixture;
const ada = { kind: 'person', name: 'ada' } as const;
const WORK = 'start: work\nnodes:\n  work: { agent: codex, next: done, on: { unchanged: failed } }';
const DELIVER = 'start: work\nnodes:\n  work: { deliver: branch, next: done }';

beforeAll(async () => {
  fixture = await engineFixture();
  await fixture.worker();
});

beforeEach(() => {
  fixture.limits = { agents: 100, perRepository: 100, perProvider: {}, others: 100 };
  fixture.script.clear();
});

afterAll(() => fixture[Symbol.asyncDispose]());

const why = async (id: string) => (await whyRun(fixture, id)).lines.slice(1).join('\n');

async function atWork(id: string, barrier: Gate, count: number): Promise<void> {
  await waitUntil(() => barrier.arrived >= count, { timeoutMs: 10_000, what: `${id} to be at work` });
}

test('a run that waits for a place says who has the places, by name and number', async () => {
  const barrier = gate();
  fixture.script.on('work', barrier.behaviour);
  fixture.limits = { ...fixture.limits, perRepository: 2 };
  const first = await fixture.start(WORK, { slug: 'one-at-work' });
  const second = await fixture.start(WORK, { slug: 'two-at-work' });
  await atWork(second, barrier, 2);
  const third = await fixture.start(WORK, { slug: 'waits' });
  const text = await why(third);
  expect(text).toContain('work #1 is not at work yet.');
  expect(text).toContain('2 of 2');
  expect(text).toContain('one-at-work');
  expect(text).toContain('two-at-work');
  expect(text).toContain('limits.perRepository');
  barrier.open();
  for (const id of [first, second, third]) await fixture.reaches(id, 'succeeded');
});

test('a run at work says what it is at, for how long, and what it has used', async () => {
  const barrier = gate();
  fixture.script.on('work', barrier.behaviour);
  const id = await fixture.start(WORK);
  await atWork(id, barrier, 1);
  const text = await why(id);
  expect(text).toMatch(/^work #1 is being worked on.* for \d+s\. Its worker was heard of \d+s ago\.$/m);
  expect(text).toMatch(/^Used so far: \d+s of 2h, 0 of 60 turns\.$/m);
  await cancelRun(fixture.engine, id, ada);
  barrier.open();
  await fixture.reaches(id, 'cancelled');
  expect(await why(id)).toContain('A person stopped it.');
  expect(await why(id)).toContain('It has changed nothing.');
});

test('the time of an attempt counts as used while it is at work, and once when it is over', async () => {
  const barrier = gate();
  fixture.script.on('work', barrier.behaviour);
  const id = await fixture.start(WORK);
  await atWork(id, barrier, 1);
  const minute = 60_000;
  const at = async (later: number) => {
    const engine = { ...fixture.engine, clock: { ...fixture.engine.clock, now: () => Date.now() + later } };
    const wall = (await runDetail(engine.database, { id }, engine.clock.now())).limits['wall']?.used ?? 0;
    return { wall, text: (await whyRun({ engine }, id)).lines.join('\n') };
  };
  const working = await at(5 * minute);
  expect(working.text).toMatch(/^Used so far: 5m( \d+s)? of 2h/m);
  expect(working.wall).toBeGreaterThanOrEqual(5 * minute);
  barrier.open();
  await fixture.reaches(id, 'succeeded');
  expect((await at(5 * minute)).wall).toBe((await fixture.run(id)).consumed.wall);
});

test('a step between two tries says what for, and no more of it once it has gone on', async () => {
  const text = 'codex: the model’s server was not reached (ECONNREFUSED); trying again in 15s (2 of 3)';
  const said = gate();
  const gone = gate();
  fixture.script.on('work', async (context) => {
    const { node, n } = context.step;
    await context.say('warning', text);
    await context.say('info', 'A person has said something meanwhile.');
    await said.behaviour(context);
    await context.emit({ kind: 'agent.session', node, n, agent: 'codex', session: 's' });
    return gone.behaviour(context);
  });
  const id = await fixture.start(WORK);
  await atWork(id, said, 1);
  expect((await why(id)).split('\n')[1]).toMatch(/^The last that came of it, \d+s ago: codex: .* \(2 of 3\)$/);
  said.open();
  await atWork(id, gone, 1);
  expect(await why(id)).not.toContain('trying again');
  gone.open();
  await fixture.reaches(id, 'succeeded');
});

test('a parked run says why, where, and what it needs', async () => {
  const park = { code: 'merge/conflict', needs: 'conflict', files: ['a.txt'] } as const;
  fixture.script.on('work', outcome('conflict', { detail: 'main has changed the same places: a.txt.', park }));
  const id = await fixture.start('start: work\nnodes:\n  work: { deliver: merge, next: done }');
  await fixture.reaches(id, 'parked');
  const { lines, needs } = await whyRun(fixture, id);
  expect(lines.slice(1)).toEqual([
    'It waits at work #1.',
    'main has changed the same places: a.txt. (merge/conflict)',
    'Files: a.txt',
    'It needs somebody to bring both sides together; a retry looks at the target again.',
  ]);
  expect(needs).toMatchObject({ kind: 'conflict', choices: ['retry', 'abandoned'] });
  await discardRun(fixture.engine, id, ada);
  expect(await why(id)).toContain('Nothing is lost');
  // As it is once the trash is emptied.
  await updateRun(fixture.engine.database, id, { state_before: null });
  expect(await why(id)).toContain('its commits are gone');
  expect(await why(id)).not.toContain('Nothing is lost');
});

test.each([
  [
    'merge/red-checks',
    'conflict',
    /files mended, or the check: .*switchyard send stuck-merge-red-checks "…".*switchyard open stuck-merge-red-checks/,
  ],
  [
    'deliver/branch-moved',
    'conflict',
    /rename or delete it, then retry; .*switchyard checkout stuck-deliver-branch-moved --branch NAME/,
  ],
  ['merge/checkout-dirty', 'checkout', /nothing in the way of the merge/],
  ['merge/target-busy', 'conflict', /a retry looks at the target again/],
] as const)('a run stuck at its delivery for %s needs what helps there', async (code, needs, wanted) => {
  fixture.script.on('work', outcome('conflict', { detail: 'It is stuck.', park: { code, needs } }));
  const slug = `stuck-${code.replace('/', '-')}`;
  const id = await fixture.start('start: work\nnodes:\n  work: { deliver: merge, next: done }', { slug });
  await fixture.reaches(id, 'parked');
  expect(await why(id)).toMatch(wanted);
  expect(await why(id)).not.toContain('both sides together');
  await discardRun(fixture.engine, id, ada);
});

test('a run whose agent has changed nothing needs words rather than a cause mended', async () => {
  fixture.script.on('work', outcome('unchanged', { detail: 'Nothing has changed.' }));
  const id = await fixture.start('start: work\nnodes:\n  work: { agent: codex, next: done, on: { unchanged: park } }');
  await fixture.reaches(id, 'parked');
  expect(await why(id)).toContain('switchyard send');
  expect(await why(id)).not.toContain('cause mended');
});

test('a run that has ended says how, and where its work is', async () => {
  fixture.script.on('work', outcome('fail', { detail: 'x ended with 1' }));
  const failed = await fixture.start('start: work\nnodes:\n  work: { command: x, next: done, on: { fail: failed } }');
  await fixture.reaches(failed, 'failed');
  expect(await why(failed)).toContain('Its last step was work #1: fail (x ended with 1)');
  expect(await why(failed)).toContain('It has changed nothing.');

  fixture.script.on('work', async (context) => {
    const { head } = await (await context.workspace()).collect(context.commitText());
    return { kind: 'outcome', outcome: 'delivered', outputs: { delivered: head } };
  });
  const delivered = await fixture.start(DELIVER, { slug: 'is-delivered' });
  await fixture.reaches(delivered, 'succeeded');
  expect(await why(delivered)).toBe(
    'It ended in done. Its work is on the branch switchyard/is-delivered; it is not merged to main.',
  );
  const merged = { target: 'main', commit: 'a'.repeat(40), tree: 'b'.repeat(40) };
  fixture.script.on('merge', outcome('merged', { merged }));
  await mergeRun(fixture.engine, delivered, { push: false, actor: ada });
  await fixture.reaches(delivered, 'succeeded');
  expect(await why(delivered)).toBe('It was merged to main as aaaaaaaaaaaa. Nothing is left to do.');
});
