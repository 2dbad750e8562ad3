import { expect, test } from 'vitest';
import type { EarlierVerdict } from '../ports/node.ts';
import { noProgress } from './no-progress.ts';

interface Said {
  readonly tree: string;
  readonly verdict?: EarlierVerdict['verdict'];
  readonly name?: string;
  readonly commit?: string;
  readonly message?: string;
  readonly line?: number;
  readonly report?: string;
  readonly workedSince?: boolean;
}

/** What comes of these verdicts, of which the last ones are about the newest commit. */
function judge(said: readonly Said[], repeats = 5): string | undefined {
  const verdicts = said.map(
    ({ tree, verdict = 'fail', name = 'test', message, line = 1, report = '', workedSince = true, commit }, index) => ({
      name,
      kind: 'test',
      verdict,
      commit: commit ?? `commit-of-${tree}-${index}`,
      tree,
      items: message === undefined ? [] : [{ file: 'a.ts', line, message }],
      report,
      durationMs: 1,
      at: index * 60_000,
      workedSince,
    }),
  );
  return noProgress(verdicts, { commit: verdicts.at(-1)?.commit ?? '', repeats });
}

const fails = (count: number, of: (index: number) => Partial<Said>): Said[] =>
  Array.from({ length: count }, (_, index) => ({ tree: `tree${index}`, ...of(index) }));

test('the same failure on the same files, after an edit and its reverting, is no progress', () => {
  const why = judge([
    { tree: 'a', message: 'one' },
    { tree: 'b', message: 'two' },
    { tree: 'a', message: 'one' },
  ]);
  expect(why).toBe(
    'The fixes go round in circles: test failed at commit commit-of- (00:00:00 UTC), and after more work the files are the same again and it failed again, at commit commit-of- (00:02:00 UTC): a.ts:1 one',
  );
});

test.each<[string, Said[]]>([
  ['no agent has worked in between', [{ tree: 'a', workedSince: false }, { tree: 'a' }]],
  [
    'it is the same commit, looked at again',
    [
      { tree: 'a', commit: 'c' },
      { tree: 'a', commit: 'c' },
    ],
  ],
  [
    'it passed there before',
    [
      { tree: 'a', verdict: 'pass' },
      { tree: 'b', message: 'x' },
      { tree: 'a', message: 'y' },
    ],
  ],
  [
    'another check failed there before',
    [
      { tree: 'a', name: 'lint' },
      { tree: 'b', message: 'x' },
      { tree: 'a', message: 'y' },
    ],
  ],
  ['it passes now', [{ tree: 'a' }, { tree: 'b' }, { tree: 'a', verdict: 'pass' }]],
])('the same files again are well when %s', (_, said) => {
  expect(judge(said)).toBeUndefined();
});

test('the same findings on so many trees in a row are no progress, wherever the lines have moved', () => {
  const said = fails(5, (index) => ({ message: 'wrong', line: index }));
  expect(judge(said)).toMatch(
    /^The fixes get no further: test failed 5 times in a row with the same findings, first at/,
  );
  expect(judge(said.slice(1))).toBeUndefined();
});

test('without findings, the reports count but for their durations', () => {
  expect(judge(fails(5, (index) => ({ report: `test: failed (${index} ms)\n3 failed` })))).toContain('5 times');
  expect(judge(fails(5, (index) => ({ report: `test: failed (1 ms)\n${index} failed` })))).toBeUndefined();
});

test('findings that change, a pass in between, or another check that gets on are progress', () => {
  expect(judge(fails(20, (index) => ({ message: `wrong ${index}` })))).toBeUndefined();
  expect(judge(fails(8, (index) => (index === 4 ? { verdict: 'pass' } : { message: 'wrong' })))).toBeUndefined();
  const both = fails(5, (index) => ({ tree: `tree${index}`, commit: `c${index}`, message: 'wrong' })).flatMap(
    (lint, index) => [
      { ...lint, name: 'lint' },
      { ...lint, name: 'test', message: `wrong ${index}` },
    ],
  );
  expect(judge(both)).toBeUndefined();
  expect(judge(both.filter(({ name }) => name === 'lint'))).toBeDefined();
});
