import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDocument } from './document.ts';

const read = (text: string) => readDocument({ file: 'a.yaml', text });
const messages = (text: string) => read(text).problems.map(({ line, message }) => `${line}: ${message}`);

test('YAML becomes plain data', () => {
  const { value, problems } = read('a: 1\nb: [x, true, null]\nc: { d: "e" }\non: 2.5\n');
  expect(value).toEqual({ a: 1, b: ['x', true, null], c: { d: 'e' }, on: 2.5 });
  expect(problems).toEqual([]);
});

test('a problem is placed at the value, at its key, or at what holds it', () => {
  const document = read('a:\n  b: 1\n  c:\n    - x\n');
  expect(document.problem(['a', 'c', 0], 'm')).toEqual({ file: 'a.yaml', line: 4, column: 7, message: 'm' });
  expect(document.problem(['a', 'b'], 'm', 'h', 'key')).toMatchObject({ line: 2, column: 3, hint: 'h' });
  expect(document.problem(['a', 'c', 7, 'z'], 'm')).toMatchObject({ line: 4, column: 5 });
  expect(document.problem(['nowhere'], 'm')).toMatchObject({ line: 1, column: 1 });
});

test('broken syntax is shown at its line and yields no value', () => {
  const document = read('a: 1\nb: [1,\nc: 2\n');
  expect(document.value).toBeUndefined();
  expect(document.problems[0]).toMatchObject({ file: 'a.yaml', line: 3 });
});

test('a key that stands twice is shown, and the rest is still read', () => {
  const document = read('a: 1\nb: 2\na: 3\n');
  expect(document.problems).toMatchObject([{ line: 3, message: 'this key stands here twice' }]);
  expect(document.value).toMatchObject({ b: 2 });
});

test('an alias stands for its anchor', () => {
  expect(read('a: &x { b: 1 }\nc: *x\n')).toMatchObject({ value: { a: { b: 1 }, c: { b: 1 } }, problems: [] });
});

test('an anchor within itself is refused', () => {
  expect(messages('a: &x [*x]\n')).toEqual(['1: the anchor &x holds itself']);
});

test('an alias without an anchor is refused', () => {
  expect(messages('a: 1\nb: *x\n')).toEqual(['2: there is no anchor &x before this alias']);
});

test('anchors that multiply each other are cut off', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 20; level += 1) {
    lines.push(`a${level}: &a${level} [${Array.from({ length: 8 }, () => `*a${level - 1}`).join(', ')}]`);
  }
  expect(messages(lines.join('\n'))).toEqual([expect.stringContaining('the file holds too much')]);
});

test('depth without end is refused, not followed', () => {
  expect(messages(`${'['.repeat(100)}${']'.repeat(100)}`)).toEqual([
    expect.stringContaining('the file holds too much'),
  ]);
  expect(read('['.repeat(200_000)).problems.length).toBeGreaterThan(0);
  expect(read('{a: '.repeat(50_000)).problems.length).toBeGreaterThan(0);
});

test('a file that is too large is not looked at', () => {
  expect(messages(`a: ${'x'.repeat(300_000)}`)).toEqual(['1: the file is larger than 64 KiB']);
});

test('tags, keys that are no text and two documents in one file are refused', () => {
  expect(messages('a: !!js/function "x"\n')[0]).toMatch(/^1: Unresolved tag/);
  expect(messages('a: !!binary aGVsbG8=\n')).toEqual(['1: a value of this type has no place here']);
  expect(messages('? [a]\n: 1\n')).toEqual(['1: a key must be text']);
  expect(messages('null: 1\n')).toEqual(['1: a key must be text']);
  expect(messages('a: 1\n---\nb: 2\n')[0]).toMatch(/^2: /);
});

test('a key cannot reach behind the data', () => {
  const document = read('a: 1\n__proto__: { polluted: true }\nconstructor: 2\n');
  expect(document.problems).toMatchObject([{ line: 2, message: 'a key cannot be named "__proto__"' }]);
  expect(Object.keys(document.value as object)).toEqual(['a', 'constructor']);
  expect((document.value as { polluted?: unknown }).polluted).toBeUndefined();
});

test('no text makes reading throw', () => {
  const piece = fc.constantFrom(
    'a',
    ': ',
    '\n',
    '  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&x ',
    '*x',
    '? ',
    '!!set ',
    '"',
    "'",
    '|',
    '#',
    ',',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join('')),
      ),
      (text) => {
        const document = read(text);
        expect(document.value !== undefined || document.problems.length > 0).toBe(true);
        JSON.stringify(document.value);
      },
    ),
    { numRuns: 500 },
  );
});
