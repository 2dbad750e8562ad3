import { expect, test } from 'vitest';
import { parseItems } from '../parse.ts';

const parse = (text: string) => parseItems(text, '/work/project');

test('reads pytest: a failure in body and summary is one item', () => {
  const text = [
    '=================================== FAILURES ===================================',
    '___________________________________ test_adds __________________________________',
    '',
    '    def test_adds():',
    '>       assert add(1, 1) == 3',
    'E       assert 2 == 3',
    '',
    'tests/test_sum.py:12: AssertionError',
    '=========================== short test summary info ============================',
    'FAILED tests/test_sum.py::test_adds[one - two] - assert 2 == 3',
    'ERROR tests/test_other.py - ModuleNotFoundError: No module named requests',
    '========================= 1 failed, 1 error in 0.12s ===========================',
  ].join('\n');
  expect(parse(text)).toMatchObject([
    { file: 'tests/test_sum.py', line: 12, message: expect.stringContaining('assert 2 == 3') },
    {
      file: 'tests/test_other.py',
      message: 'the file could not be loaded: ModuleNotFoundError: No module named requests',
    },
  ]);
});

test('reads go test and cargo test', () => {
  const text = [
    '--- FAIL: TestAdd (0.00s)',
    '    add_test.go:12: got 3, want 4',
    '--- FAIL: TestSilent (0.00s)',
    'FAIL',
    'FAIL\texample.org/calc\t0.004s',
    "thread 'tests::adds' (4711) panicked at src/lib.rs:10:9:",
    'assertion `left == right` failed',
    '  left: 2',
  ].join('\n');
  expect(parse(text)).toEqual([
    { file: 'add_test.go', line: 12, message: 'TestAdd: got 3, want 4' },
    { message: 'TestSilent failed' },
    { file: 'src/lib.rs', line: 10, column: 9, message: 'tests::adds: assertion `left == right` failed' },
  ]);
});

test("takes the last frame of a Python traceback that is the workspace's own", () => {
  const text = [
    'FAIL: test_a (test_calc.Calc.test_a)',
    '----------------------------------------------------------------------',
    'Traceback (most recent call last):',
    '  File "/work/project/test_calc.py", line 8, in test_a',
    '    calc.run()',
    '  File "/work/project/calc.py", line 3, in run',
    '    raise ValueError("no")',
    '  File "/usr/lib/python3.12/decimal.py", line 99, in other',
    'ValueError: no',
    '  File "broken.py", line 2',
    '    def (',
    '        ^',
    'SyntaxError: invalid syntax',
  ].join('\n');
  expect(parse(text)).toEqual([
    { file: 'calc.py', line: 3, message: 'test_a (test_calc.Calc.test_a): ValueError: no' },
    { file: 'broken.py', line: 2, message: 'SyntaxError: invalid syntax' },
  ]);
});
