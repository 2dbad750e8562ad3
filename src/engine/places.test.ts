import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FleetLimits } from './engine.ts';
import { blockedBy, type Candidate, choose, freePlaces } from './places.ts';

const FREE: FleetLimits = { agents: 100, perRepository: 100, perProvider: {}, others: 100 };
const MINUTE = 60_000;

let count = 0;
const step = (facts: Partial<Candidate> = {}): Candidate => ({
  id: `s${++count}`,
  repository: 'a',
  requester: 'ada',
  provider: 'codex',
  holds: null,
  agentic: true,
  priority: 0,
  waitingMs: 0,
  ...facts,
});
const steps = (number: number, facts: Partial<Candidate> = {}) => Array.from({ length: number }, () => step(facts));

describe('choosing steps', () => {
  test('takes all that fit, and no more than each limit leaves', () => {
    const limits = { ...FREE, agents: 6, perRepository: 3, perProvider: { codex: 4 } };
    const waiting = [
      ...steps(9, { repository: 'a' }),
      ...steps(9, { repository: 'b' }),
      ...steps(9, { repository: 'c', provider: 'pi' }),
    ];
    const chosen = choose(waiting, [], limits);
    expect(chosen).toHaveLength(6);
    expect(chosen.filter((one) => one.provider === 'codex').length).toBeLessThanOrEqual(4);
    for (const repository of ['a', 'b', 'c'])
      expect(chosen.filter((one) => one.repository === repository)).toHaveLength(2);
  });

  test('counts what is at work already', () => {
    const limits = { ...FREE, perRepository: 2 };
    const working = [step({ repository: 'a' }), step({ repository: 'a' }), step({ repository: 'b' })];
    const chosen = choose([step({ repository: 'a' }), ...steps(2, { repository: 'b' })], working, limits);
    expect(chosen.map((one) => one.repository)).toEqual(['b']);
  });

  test('bounds steps without an agent apart from those with one', () => {
    const limits = { ...FREE, agents: 1, others: 2, perRepository: 1 };
    const chosen = choose([...steps(3), ...steps(3, { agentic: false, provider: null })], [], limits);
    expect(chosen.filter((one) => one.agentic)).toHaveLength(1);
    expect(chosen.filter((one) => !one.agentic)).toHaveLength(2);
  });

  test('prefers the higher priority, then the idler repository, then the longer wait', () => {
    const urgent = step({ repository: 'busy', priority: 2 });
    const idle = step({ repository: 'idle' });
    const long = step({ repository: 'busy', waitingMs: 5 * MINUTE });
    const short = step({ repository: 'busy', waitingMs: 1 * MINUTE });
    const working = steps(2, { repository: 'busy' });
    expect(choose([short, long, idle, urgent], working, FREE)).toEqual([urgent, idle, long, short]);
  });

  test('lets waiting make up for priority, ten minutes for a point', () => {
    const young = step({ priority: 2 });
    const old = step({ waitingMs: 31 * MINUTE });
    const almost = step({ waitingMs: 19 * MINUTE });
    expect(choose([young, old], [], FREE)).toEqual([old, young]);
    expect(choose([young, almost], [], FREE)).toEqual([young, almost]);
  });

  test('does not let a repository with many runs keep out one with few', () => {
    const many = steps(50, { repository: 'many', waitingMs: 9 * MINUTE });
    const few = steps(2, { repository: 'few' });
    const chosen = choose([...many, ...few], [], { ...FREE, agents: 4 });
    expect(chosen.filter((one) => one.repository === 'few')).toHaveLength(2);
  });

  test('does not let a person with many runs keep out one with few, whatever their repositories', () => {
    const many = Array.from({ length: 50 }, (_, n) => step({ repository: `r${n}`, waitingMs: 9 * MINUTE }));
    const few = steps(2, { repository: 'r0', requester: 'bob' });
    const chosen = choose([...many, ...few], [], { ...FREE, agents: 4 });
    expect(chosen.filter((one) => one.requester === 'bob')).toHaveLength(2);
  });

  test('bounds the agents of one person, and those alone', () => {
    const limits = { ...FREE, perPerson: 2 };
    const chosen = choose(
      [...steps(5), ...steps(1, { requester: 'bob' }), ...steps(3, { agentic: false })],
      [],
      limits,
    );
    expect(chosen.filter((one) => one.agentic && one.requester === 'ada')).toHaveLength(2);
    expect(chosen).toHaveLength(2 + 1 + 3);
  });

  test('counts an agent under every name that it goes by', () => {
    const limits = {
      ...FREE,
      perProvider: { anthropic: 3, one: 1 },
      providers: { one: ['one', 'anthropic'], two: ['two', 'anthropic'], other: ['other'] },
    };
    const waiting = [...steps(5, { provider: 'one' }), ...steps(5, { provider: 'two' }), step({ provider: 'other' })];
    const chosen = choose(waiting, [], limits);
    expect(chosen.map((one) => String(one.provider)).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'one',
      'other',
      'two',
      'two',
    ]);
  });

  test('lets only one of those in that hold the same in their repository, and no other waits for it', () => {
    const merge = (repository: string, branch: string) => step({ agentic: false, repository, holds: branch });
    const waiting = [merge('a', 'main'), merge('a', 'main'), merge('a', 'next'), merge('b', 'main')];
    const chosen = choose([...waiting, ...steps(1, { agentic: false })], [], FREE);
    expect(chosen.map(({ repository, holds }) => `${repository} ${holds}`).sort()).toEqual([
      'a main',
      'a next',
      'a null',
      'b main',
    ]);
    expect(choose(waiting, [merge('a', 'main')], FREE)).not.toContain(waiting[1]);
  });

  test('a provider of a name that every object has is no limit', () => {
    expect(choose([step({ provider: 'constructor' })], [], FREE)).toHaveLength(1);
  });

  test('never goes beyond a limit, leaves no place empty that a waiting step could take, and takes no step twice', () => {
    const candidate = fc.record({
      repository: fc.constantFrom('a', 'b', 'c'),
      requester: fc.constantFrom('ada', 'bob'),
      holds: fc.constantFrom(null, null, 'main'),
      provider: fc.constantFrom('codex', 'pi', null),
      agentic: fc.boolean(),
      priority: fc.integer({ min: -2, max: 2 }),
      waitingMs: fc.integer({ min: 0, max: 60 * MINUTE }),
    });
    const some = fc.array(candidate, { maxLength: 40 }).map((all) => all.map((facts) => step(facts)));
    const limits = fc.record({
      agents: fc.integer({ min: 0, max: 12 }),
      perRepository: fc.integer({ min: 0, max: 6 }),
      perPerson: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
      perProvider: fc.dictionary(fc.constantFrom('codex', 'pi'), fc.integer({ min: 0, max: 5 })),
      others: fc.integer({ min: 0, max: 8 }),
    });
    fc.assert(
      fc.property(some, some, limits, (waiting, before, given) => {
        // What is at work got there by the same rules.
        const working = choose(before, [], given);
        const chosen = choose(waiting, working, given);
        const all = [...working, ...chosen];
        const agents = all.filter((one) => one.agentic);
        expect(new Set(chosen).size).toBe(chosen.length);
        expect(agents.length).toBeLessThanOrEqual(given.agents);
        expect(all.length - agents.length).toBeLessThanOrEqual(given.others);
        for (const repository of ['a', 'b', 'c']) {
          expect(agents.filter((one) => one.repository === repository).length).toBeLessThanOrEqual(given.perRepository);
        }
        for (const [provider, most] of Object.entries(given.perProvider)) {
          expect(agents.filter((one) => one.provider === provider).length).toBeLessThanOrEqual(most);
        }
        for (const requester of ['ada', 'bob']) {
          expect(agents.filter((one) => one.requester === requester).length).toBeLessThanOrEqual(
            given.perPerson ?? Infinity,
          );
        }
        const held = all.filter((one) => one.holds !== null).map((one) => `${one.repository} ${one.holds}`);
        expect(new Set(held).size).toBe(held.length);
        for (const left of waiting) if (!chosen.includes(left)) expect(blockedBy(left, all, given)).toBeDefined();
      }),
    );
  });
});

test('a step that has to wait is told which limit it waits for', () => {
  const limits: FleetLimits = { agents: 4, perRepository: 2, perProvider: { pi: 1 }, perPerson: 3, others: 1 };
  const waiting = step({ repository: 'a', provider: 'pi' });
  const said = (one: Candidate, working: readonly Candidate[]) => {
    const blocked = blockedBy(one, working, limits);
    return blocked === undefined ? undefined : [blocked.lack, blocked.max, blocked.by.map(({ id }) => id)];
  };
  const ids = (some: readonly Candidate[]) => some.map(({ id }) => id);
  const pi = step({ repository: 'b', provider: 'pi', requester: 'bob' });
  const check = step({ agentic: false });
  const two = steps(2, { repository: 'a', requester: 'bob' });
  const three = steps(3, { repository: 'b' });
  const four = steps(4, { repository: 'b', requester: 'bob' });
  const merge = step({ agentic: false, holds: 'main' });
  expect(said(waiting, [])).toBeUndefined();
  expect(said(waiting, [pi, check])).toEqual(['perProvider', 1, [pi.id]]);
  expect(said(waiting, [pi, ...two])).toEqual(['perRepository', 2, ids(two)]);
  expect(said(waiting, three)).toEqual(['perPerson', 3, ids(three)]);
  expect(said(waiting, four)).toEqual(['agents', 4, ids(four)]);
  expect(said(step({ agentic: false }), [check, ...three])).toEqual(['others', 1, [check.id]]);
  expect(said(step({ agentic: false }), three)).toBeUndefined();
  expect(said(step({ agentic: false, holds: 'main' }), [merge])).toEqual(['holds', 1, [merge.id]]);
});

test('free places are what the limits of the whole fleet leave', () => {
  const limits = { ...FREE, agents: 2, others: 3 };
  expect(freePlaces([...steps(1), ...steps(2, { agentic: false })], limits)).toEqual({ agents: 1, others: 1 });
  // A limit that was lowered meanwhile takes nobody's place away.
  expect(freePlaces([...steps(5), ...steps(5, { agentic: false })], limits)).toEqual({ agents: 0, others: 0 });
});
