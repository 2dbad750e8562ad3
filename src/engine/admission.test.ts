import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../lib/wait-until.ts';
import { activeSteps, admit } from './admission.ts';
import { cancelRun } from './cancel.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import { type Behaviour, gate, outcome } from './fixture/script.ts';

let fixture: EngineFixture;

beforeAll(async () => {
  fixture = await engineFixture();
});

beforeEach(() => {
  fixture.script.clear();
  fixture.limits = { agents: 100, perRepository: 100, perProvider: {}, others: 100 };
});

afterAll(() => fixture[Symbol.asyncDispose]());

const agentOf = (provider: string) =>
  `start: work\nnodes:\n  work: { agent: ${provider}, next: done, on: { unchanged: failed } }`;
const CHECK = 'start: check\nnodes:\n  check: { command: x, next: done, on: { fail: failed } }';
const ada = { kind: 'person', name: 'ada' } as const;

/** Counts who works at the same time, by key. */
function census() {
  const now = new Map<string, number>();
  const most = new Map<string, number>();
  const enter = (key: string) => {
    now.set(key, (now.get(key) ?? 0) + 1);
    most.set(key, Math.max(most.get(key) ?? 0, now.get(key) ?? 0));
  };
  const count =
    (keys: readonly string[]): Behaviour =>
    async ({ clock }) => {
      keys.forEach(enter);
      await clock.sleep(20);
      for (const key of keys) now.set(key, (now.get(key) ?? 0) - 1);
      return { kind: 'outcome', outcome: 'done' };
    };
  return { most, count };
}

test('sixty steps on two workers never exceed a limit, and all are worked on', async () => {
  fixture.limits = { agents: 7, perRepository: 4, perProvider: { codex: 5, pi: 2 }, others: 3 };
  const { most, count } = census();
  const places = new Map<string, readonly string[]>();
  fixture.script.on('work', (context) => count(places.get(context.run.id) ?? [])(context));
  fixture.script.on('check', async (context) => ({
    ...(await count(['others'])(context)),
    kind: 'outcome',
    outcome: 'pass',
  }));
  const ids: string[] = [];
  for (let n = 0; n < 60; n++) {
    const provider = n % 3 === 0 ? 'pi' : 'codex';
    const repository = `r${n % 4}`;
    const isCheck = n % 5 === 4;
    const id = await fixture.start(isCheck ? CHECK : agentOf(provider), { repository, slug: `many-${n}` });
    places.set(id, ['agents', provider, repository]);
    ids.push(id);
  }
  const active = await activeSteps(fixture.engine.database);
  expect(active.filter((step) => step.agentic)).toHaveLength(7);
  expect(active.filter((step) => !step.agentic)).toHaveLength(3);
  await using _one = await fixture.worker('w1');
  await using _two = await fixture.worker('w2');
  for (const id of ids) await fixture.reaches(id, 'succeeded');
  expect(most.get('agents')).toBeGreaterThan(1);
  expect(most.get('agents')).toBeLessThanOrEqual(7);
  expect(most.get('others')).toBeLessThanOrEqual(3);
  expect(most.get('codex')).toBeLessThanOrEqual(5);
  expect(most.get('pi')).toBeLessThanOrEqual(2);
  for (let r = 0; r < 4; r++) expect(most.get(`r${r}`)).toBeLessThanOrEqual(4);
  const mine = fixture.script.calls.filter((call) => ids.includes(call.run));
  expect(mine).toHaveLength(60);
});

test('many who admit at once give no place away twice, and whoever admits next leaves none free', async () => {
  fixture.limits = { agents: 9, perRepository: 5, perProvider: {}, others: 9 };
  const ids = await Promise.all(
    Array.from({ length: 30 }, (_, n) => fixture.start(agentOf('codex'), { repository: `x${n % 2}`, slug: 'at-once' })),
  );
  const { engine } = fixture;
  const check = async () => {
    expect((await activeSteps(engine.database)).length).toBeLessThanOrEqual(9);
    // A step that somebody else was just changing is passed over, and let in by whoever admits next.
    await engine.database.transaction((queries) => admit(engine, queries));
    const active = await activeSteps(engine.database);
    expect(active).toHaveLength(9);
    for (const repository of ['x0', 'x1']) {
      expect(active.filter((step) => step.repository === repository).length).toBeLessThanOrEqual(5);
    }
  };
  await check();
  await Promise.all(Array.from({ length: 10 }, () => engine.database.transaction((queries) => admit(engine, queries))));
  await check();
  // Each cancelled run frees a place that another one takes in the same transaction.
  await Promise.all(ids.slice(0, 15).map((id) => cancelRun(engine, id, ada)));
  await check();
  for (const id of ids) await cancelRun(engine, id, ada);
  expect(await activeSteps(engine.database)).toEqual([]);
  expect(await engine.database.query('select 1 from pgboss.job')).toEqual([]);
});

test('the urgent and the long waiting go first, and no repository keeps out another', async () => {
  fixture.limits = { agents: 1, perRepository: 1, perProvider: {}, others: 1 };
  const first = gate();
  fixture.script.on('work', (context) =>
    context.run.id === blocker ? first.behaviour(context) : outcome('done')(context),
  );
  const blocker = await fixture.start(agentOf('codex'), { repository: 'many' });
  await using _worker = await fixture.worker();
  await waitUntil(() => first.arrived === 1, { timeoutMs: 5_000 });
  const late: string[] = [];
  for (let n = 0; n < 3; n++) late.push(await fixture.start(agentOf('codex'), { repository: 'many' }));
  const other = await fixture.start(agentOf('codex'), { repository: 'few' });
  const urgent = await fixture.start(agentOf('codex'), { repository: 'many', priority: 1 });
  await fixture.engine.database.query(`update step set since = now() - interval '25 minutes' where run = $1`, [
    late[2],
  ]);
  first.open();
  for (const id of [...late, other, urgent]) await fixture.reaches(id, 'succeeded');
  const order = fixture.script.calls.map((call) => call.run).filter((id) => [...late, other, urgent].includes(id));
  // Among equals nobody of either repository is at work: the longest waiting goes first.
  expect(order).toEqual([late[2], urgent, late[0], late[1], other]);
});

test('a limit that is raised lets in what has waited for it, without anything else happening', async () => {
  fixture.limits = { agents: 0, perRepository: 9, perProvider: {}, others: 9 };
  await using _worker = await fixture.worker();
  const id = await fixture.start(agentOf('codex'));
  expect((await fixture.steps(id)).map((step) => step.state)).toEqual(['waiting']);
  fixture.limits = { ...fixture.limits, agents: 1 };
  await fixture.reaches(id, 'succeeded');
});

test('a step that somebody else is changing is passed over, and waits for nobody meanwhile', async () => {
  const { engine } = fixture;
  fixture.limits = { ...fixture.limits, agents: 0 };
  const held = await fixture.start(agentOf('codex'));
  const free = await fixture.start(agentOf('codex'));
  fixture.limits = { ...fixture.limits, agents: 9 };
  await engine.database.transaction(async (queries) => {
    await queries.query('select 1 from step where run = $1 for update', [held]);
    await engine.database.transaction((others) => admit(engine, others));
    const states = async (id: string) => (await fixture.steps(id)).map((step) => step.state);
    expect([await states(held), await states(free)]).toEqual([['waiting'], ['admitted']]);
  });
  await engine.database.transaction((queries) => admit(engine, queries));
  expect((await fixture.steps(held)).map((step) => step.state)).toEqual(['admitted']);
  for (const id of [held, free]) await cancelRun(engine, id, ada);
});

test('a step that is let in while its run is being cancelled leaves no job behind', async () => {
  const { engine } = fixture;
  fixture.limits = { ...fixture.limits, agents: 0 };
  const id = await fixture.start(agentOf('codex'));
  fixture.limits = { ...fixture.limits, agents: 9 };
  let cancelling: Promise<unknown> | undefined;
  await engine.database.transaction(async (queries) => {
    await admit(engine, queries);
    cancelling = cancelRun(engine, id, ada);
    // It has got as far as the step, which it may not take for one that waits.
    await waitUntil(
      async () =>
        (await engine.database.query(`select 1 from pg_stat_activity where wait_event_type = 'Lock'`)).length > 0,
      { timeoutMs: 5_000 },
    );
  });
  await cancelling;
  expect(await activeSteps(engine.database)).toEqual([]);
  expect(await engine.database.query('select 1 from pgboss.job')).toEqual([]);
});

test('a step goes to the worker that was the last on its run, while that lives', async () => {
  await using a = await fixture.worker('a');
  const place = gate();
  fixture.script.on('second', place.behaviour);
  const text = `
start: first
nodes:
  first: { command: x, next: second, on: { fail: failed } }
  second: { agent: codex, next: third, on: { unchanged: failed } }
  third: { command: x, next: done, on: { fail: failed } }
`;
  const id = await fixture.start(text);
  await waitUntil(() => place.arrived === 1, { timeoutMs: 5_000 });
  await using _b = await fixture.worker('b');
  place.open();
  await fixture.reaches(id, 'succeeded');
  expect((await fixture.steps(id)).map((step) => [step.worker, step.queue])).toEqual([
    ['a', 'attempts'],
    ['a', 'attempts-a'],
    ['a', 'attempts-a'],
  ]);
  await a[Symbol.asyncDispose]();
});

test('thousands that wait or are parked cost an admission next to nothing', async () => {
  const { engine } = fixture;
  fixture.limits = { agents: 0, perRepository: 9, perProvider: {}, others: 9 };
  const id = await fixture.start(agentOf('codex'));
  const { database } = engine;
  await database.query(
    `insert into run (id, slug, task, repository, state, blueprint, flow, settings, base_ref, base_commit, head, consumed, requester, created_at)
     select 'bulk-' || g, 'bulk-' || g, task, repository, state, '{}', '{}', '{}', '', '', '', consumed, requester, now()
     from run, generate_series(1, 20000) g where id = $1`,
    [id],
  );
  // Half of them wait for a place, half for a person.
  await database.query(
    `insert into step (id, run, repository, node, n, kind, agentic, provider, requester, state, inputs, since, created_at)
     select 'bulk-' || g, 'bulk-' || g, 'repo-' || g % 7, 'work', 1, 'agent', true, 'codex', 'person-' || g % 3, case when g % 2 = 0 then 'waiting' else 'running' end, '{}', now(), now()
     from generate_series(1, 20000) g`,
  );
  await database.query('analyze step');
  fixture.limits = { ...fixture.limits, agents: 4 };
  const [before] = await database.query<{ read: number }>(READ);
  await database.transaction((queries) => admit(engine, queries));
  await waitUntil(async () => (await activeSteps(database)).length === 4, { timeoutMs: 5_000 });
  // The statistics of a connection come late; of 20,000 rows a few dozen were looked at.
  await database.query('select pg_stat_force_next_flush()');
  const [after] = await database.query<{ read: number }>(READ);
  expect((after?.read ?? 0) - (before?.read ?? 0)).toBeLessThan(1_000);
  await database.query(`delete from step where id like 'bulk-%'`);
  await database.query('delete from pgboss.job');
});

const READ = `select (seq_tup_read + idx_tup_fetch)::int as read from pg_stat_user_tables where relname = 'step'`;
