import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Loop, loopText, Repetition } from './repetition.ts';

interface Did {
  readonly name?: string;
  readonly input: string;
  readonly output?: string;
  readonly ok?: boolean;
  readonly tookMs?: number;
}

/** The first loop that these calls show, and after how many of them. */
function loopIn(calls: readonly Did[], repeats = 5): { loop: Loop; after: number } | undefined {
  let now = 0;
  const repetition = new Repetition(repeats, () => now);
  for (const [index, { name = 'run', input, output = 'fine', ok = true, tookMs = 100 }] of calls.entries()) {
    const call = String(index);
    repetition.add({ kind: 'tool-started', call, name, input });
    now += tookMs;
    const signs = repetition.add({ kind: 'tool-ended', call, name, output, ok });
    for (const sign of signs) if (sign.kind === 'loop') return { loop: sign.loop, after: index + 1 };
    now += 1000;
  }
  return undefined;
}

const times = (count: number, ...calls: readonly Did[]): Did[] => Array.from({ length: count }, () => calls).flat();
const numbered = (count: number, did: (index: number) => Did[]): Did[] =>
  Array.from({ length: count }, (_, index) => did(index)).flat();
const TEST: Did = { input: 'npm test', output: 'FAIL a.test.ts\n1 failed in 1.2s', ok: false };

describe('a loop', () => {
  test.each<[string, Did[], Partial<Loop>, number]>([
    ['the same call again and again', times(9, { input: 'ls' }), { kind: 'cycle', calls: ['run `ls`'], times: 5 }, 5],
    ['the same after something else', [{ input: 'pwd' }, ...times(5, { input: 'ls' })], { kind: 'cycle' }, 6],
    ['the same edit, told in full', times(5, { name: 'Edit', input: '{"path":"a","text":"b"}' }), { times: 5 }, 5],
    ['the same edit that fails', times(5, { name: 'edit', input: 'src/a.ts', ok: false }), { times: 5 }, 5],
    ['two in turns', times(5, { input: 'a' }, { input: 'b' }), { calls: ['run `a`', 'run `b`'], times: 5 }, 10],
    ['three in turns', times(5, { input: 'a' }, { input: 'b' }, { input: 'c' }), { times: 5 }, 15],
    ['four in turns', times(5, ...['a', 'b', 'c', 'd'].map((input) => ({ input }))), { times: 5 }, 20],
    [
      'a test that fails alike after each edit',
      numbered(5, (index) => [{ input: `edit ${index}` }, TEST]),
      { kind: 'failure', calls: ['run `npm test`'], times: 5, output: '1 failed in 1.2s' },
      10,
    ],
    [
      'a test whose failure differs in its duration alone',
      numbered(5, (index) => [
        { input: `edit ${index}` },
        { ...TEST, output: `1 failed in ${index}.3s at 10:0${index}` },
      ]),
      { kind: 'failure' },
      10,
    ],
    [
      'slow tests that fail alike after each edit',
      numbered(5, (index) => [{ input: `edit ${index}` }, { ...TEST, tookMs: 60_000 }]),
      { kind: 'failure' },
      10,
    ],
  ])('is %s', (_, calls, loop, after) => {
    expect(loopIn(calls)).toMatchObject({ loop, after });
  });

  test.each<[string, Did[]]>([
    ['four times the same', times(4, { input: 'ls' })],
    ['four rounds of two', times(4, { input: 'a' }, { input: 'b' })],
    ['polling with output that changes', numbered(50, (index) => [{ input: 'status', output: `${index} %` }])],
    ['edits of one file, of which the path alone is told', times(50, { name: 'edit', input: 'src/a.ts' })],
    ['waiting with a call that takes long', times(50, { input: 'sleep 30; status', tookMs: 30_000 })],
    [
      'polling between waits',
      times(50, { input: 'sleep 15', tookMs: 15_000 }, { input: 'curl :80', output: 'refused', ok: false }),
    ],
    [
      'a test that fails differently after each edit',
      numbered(50, (index) => [{ input: `edit ${index}` }, { ...TEST, output: `${index} failed` }]),
    ],
    [
      'a test that passes after each edit',
      numbered(50, (index) => [{ input: `edit ${index}` }, { input: 'npm test', output: 'passed' }]),
    ],
    [
      'a failing search that finds nothing',
      numbered(50, (index) => [{ input: `edit ${index}` }, { input: 'grep x', output: '', ok: false }]),
    ],
    [
      'a test that passed once in between',
      numbered(8, (index) => [{ input: `edit ${index}` }, index === 4 ? { ...TEST, ok: true } : TEST]),
    ],
    ['work that never does the same', numbered(500, (index) => [{ input: `step ${index}` }])],
    [
      'the same with four others in between each time',
      numbered(40, (index) => [{ input: 'git status' }, ...[1, 2, 3, 4].map((n) => ({ input: `edit ${index}.${n}` }))]),
    ],
  ])('is not %s', (_, calls) => {
    expect(loopIn(calls)).toBeUndefined();
  });

  test('is found after as many rounds as are allowed, whatever came before it', () => {
    const call = fc.record({ input: fc.constantFrom('a', 'b', 'c'), output: fc.string() });
    fc.assert(
      fc.property(
        fc.array(call),
        fc.integer({ min: 3, max: 9 }),
        fc.integer({ min: 1, max: 4 }),
        (before, repeats, length) => {
          const round = Array.from({ length }, (_, index) => ({ input: `round ${index}` }));
          const begun = before.map((did, index) => ({ ...did, input: `${did.input}${index}` }));
          expect(loopIn([...begun, ...times(repeats - 1, ...round)], repeats)).toBeUndefined();
          expect(loopIn([...begun, ...times(repeats, ...round)], repeats)).toMatchObject({
            after: begun.length + repeats * length,
            loop: { times: repeats, calls: round.map(({ input }) => `run \`${input}\``) },
          });
        },
      ),
    );
  });

  test('is never found where each call has a result of its own', () => {
    const did = fc.record({ input: fc.constantFrom('a', 'b'), ok: fc.boolean(), tookMs: fc.nat(20_000) });
    fc.assert(
      fc.property(fc.array(did, { maxLength: 200 }), (calls) => {
        expect(loopIn(calls.map((call, index) => ({ ...call, output: `result ${index}` })))).toBeUndefined();
      }),
    );
  });

  test('is told with its calls, how often, when, and how the output ended', () => {
    const { loop } = loopIn(numbered(5, (index) => [{ input: `edit ${index}` }, TEST])) ?? {};
    expect(loop && loopText(loop)).toBe(
      'The agent makes no progress: run `npm test` failed 5 times with the same output, whatever else it did in between, first at 00:00:01, last at 00:00:10 (UTC); the output ends: 1 failed in 1.2s',
    );
  });
});

test('calls that run side by side are told apart by their number', () => {
  const repetition = new Repetition(3, () => 0);
  const signs = [1, 2, 3].flatMap((round) => [
    ...repetition.add({ kind: 'tool-started', call: `a${round}`, name: 'read', input: 'a' }),
    ...repetition.add({ kind: 'tool-started', call: `b${round}`, name: 'read', input: 'b' }),
    ...repetition.add({ kind: 'tool-ended', call: `a${round}`, name: 'read', output: 'A', ok: true }),
    ...repetition.add({ kind: 'tool-ended', call: `b${round}`, name: 'read', output: 'B', ok: true }),
  ]);
  expect(signs.at(-1)).toMatchObject({ kind: 'loop', loop: { calls: ['read `a`', 'read `b`'] } });
});
