import { expect, test } from 'vitest';
import { parseScript } from './script.ts';

test('reads every action, with durations in milliseconds', () => {
  const text = `
steps:
  implement:
    - - write: { path: src/a.txt, text: "hello\\n" }
      - run: npm test
      - say: done
      - sleep: 1.5s
      - commit: Add a
      - hang: true
      - exit: 1
    - []
  fix: []
`;
  const implement = [
    [
      { write: { path: 'src/a.txt', text: 'hello\n' } },
      { run: 'npm test' },
      { say: 'done' },
      { sleep: 1500 },
      { commit: 'Add a' },
      { hang: true },
      { exit: 1 },
    ],
    [],
  ];
  expect(parseScript(text, 'script.yaml')).toEqual({ ok: true, script: { implement, fix: [] } });
});

test('lists all problems, each at its line', () => {
  const text = `steps:
  implement:
    - - write: { path: ../outside, text: x }
      - say: a
        run: b
      - exit: 300
      - sleep: soon
      - dance: true
      - hang: false
    - say: not in a list
other: 1
`;
  const parsed = parseScript(text, 's.yaml');
  const problems = parsed.ok ? [] : parsed.problems;
  const lines = problems.map((problem) => Number(problem.split(':')[1]));
  expect([...new Set(lines)].sort((a, b) => a - b)).toEqual([1, 3, 4, 6, 7, 8, 9, 10]);
  expect(problems.join('\n')).toContain('s.yaml:3: steps.implement.0.0.write.path: write a path within the workspace');
  expect(problems.join('\n')).toContain('write a duration as 90s, 15m or 2h');
});

test.each(['', 'steps', '[]', 'steps: 7', 'null', '- 1', 'steps: { a: [[{ say: }]] }'])('refuses %j', (text) => {
  const parsed = parseScript(text, 's.yaml');
  expect(parsed.ok ? [] : parsed.problems).toEqual([expect.stringMatching(/^s\.yaml:1: ./)]);
});

test('refuses what is not YAML, at its line', () => {
  const parsed = parseScript('steps:\n  a: [\n', 's.yaml');
  expect(parsed.ok ? [] : parsed.problems[0]).toMatch(/^s\.yaml:[23]: /);
});
