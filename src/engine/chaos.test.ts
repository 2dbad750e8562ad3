import { expect, test } from 'vitest';
import { waitUntil } from '../lib/wait-until.ts';
import { activeSteps } from './admission.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import type { TestWorker } from './fixture/worker.ts';

const TEXT = `
start: one
nodes:
  one: { agent: codex, next: two, on: { unchanged: failed } }
  two: { command: x, next: three, on: { fail: failed } }
  three: { agent: codex, next: four, on: { unchanged: failed } }
  four: { command: x, next: done, on: { fail: failed } }
`;
const RUNS = 24;

/** The same numbers each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

const SEEDS = [1, 2];

test.for(SEEDS)('whatever dies, every step ends once and no limit is exceeded (%i)', async (seed) => {
  const limits = { agents: 6, perRepository: 4, perProvider: {}, others: 5 };
  await using fixture = await engineFixture(limits);
  const { database } = fixture.engine;
  const random = numbers(seed);
  for (const node of ['one', 'two', 'three', 'four']) {
    fixture.script.on(node, async (context) => {
      await context.emit({ kind: 'message', level: 'info', text: 'at work', node, n: context.step.n });
      await context.clock.sleep(10 + random(40), context.signal);
      await context.emit({ kind: 'agent.text', node, n: context.step.n, text: 'word' });
      return { kind: 'outcome', outcome: node === 'one' || node === 'three' ? 'done' : 'pass' };
    });
  }
  const ids: string[] = [];
  for (let n = 0; n < RUNS; n++) ids.push(await fixture.start(TEXT, { repository: `r${n % 2}` }));
  const workers = await Promise.all(['a', 'b', 'c'].map((name) => fixture.worker(name)));

  const isOver = async () => {
    const active = await activeSteps(database);
    expect(active.filter((step) => step.agentic).length).toBeLessThanOrEqual(limits.agents);
    expect(active.filter((step) => !step.agentic).length).toBeLessThanOrEqual(limits.others);
    const runs = await Promise.all(ids.map((id) => fixture.run(id)));
    return runs.every((run) => run.state.kind === 'succeeded');
  };
  for (let round = 0; round < 20 && !(await isOver()); round++) {
    await disturb(fixture, workers, random);
    await fixture.engine.clock.sleep(random(150));
  }
  for (const worker of workers) worker.thaw();
  await waitUntil(isOver, { timeoutMs: 40_000, everyMs: 200, what: 'all runs to succeed' });

  for (const id of ids) {
    const events = await fixture.events(id);
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
    const steps = await fixture.steps(id);
    expect(steps.map((step) => step.node)).toEqual(['one', 'two', 'three', 'four']);
    for (const { node } of steps) {
      const of = (kind: string) =>
        events.filter((event) => event.kind === kind && 'node' in event && event.node === node);
      expect(of('step.started')).toHaveLength(1);
      expect(of('step.ended')).toHaveLength(1);
      const begun = of('attempt.started').map((event) => ('attempt' in event ? event.attempt : 0));
      expect(begun).toEqual(begun.map((_, index) => index + 1));
      expect(of('attempt.ended')).toHaveLength(begun.length);
      // An attempt says something only while it holds the lease.
      const lives = events.flatMap((event) => ('node' in event && event.node === node ? [event.kind] : []));
      expect(lives.at(-1)).toBe('step.ended');
    }
  }
  expect(await activeSteps(database)).toEqual([]);
  expect(await database.query('select 1 from pgboss.job')).toEqual([]);
});

/** Connections break, a worker stands still until others have taken its work, a worker is stopped and another one comes. */
async function disturb(
  fixture: EngineFixture,
  workers: TestWorker[],
  random: (below: number) => number,
): Promise<void> {
  const index = random(workers.length);
  const worker = workers[index];
  if (worker === undefined) return;
  switch (random(4)) {
    case 0:
      await cutAll(fixture);
      return;
    case 1:
      worker.freeze();
      // What it held in the middle of a transaction is let go of, as when its process dies.
      await cutAll(fixture);
      await fixture.silence(worker);
      return;
    case 2:
      worker.thaw();
      return;
    default:
      await worker[Symbol.asyncDispose]();
      workers[index] = await fixture.worker(worker.name);
  }
}

async function cutAll({ engine }: EngineFixture): Promise<void> {
  await engine.database.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
}
