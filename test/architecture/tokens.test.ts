import { expect, test } from 'vitest';
import { tokensOf, UnreadableSource } from './tokens.ts';

const texts = (source: string) => tokensOf(source).map((token) => token.text);
const kinds = (source: string) => tokensOf(source).map((token) => token.kind);

test('leaves comments out, whatever they hold', () => {
  expect(texts("a // import 'x'\n/* import('y') ` */ b")).toEqual(['a', 'b']);
});

test('reads strings as one token, with what they hold as written', () => {
  expect(texts(`'it\\'s' "// no comment"`)).toEqual(["it\\'s", '// no comment']);
});

test('reads a template without substitutions as a string', () => {
  expect(kinds('`one\ntwo`')).toEqual(['string']);
});

test('reads the code within a template, however deep', () => {
  expect(texts('`a${b + `c${d}`}e` f')).toEqual(['a', 'b', '+', 'c', 'd', '', 'e', 'f']);
});

test('does not take the brace of an object within a template for the end of the substitution', () => {
  expect(texts('`${{ a: 1 }.a}` b')).toEqual(['', '{', 'a', ':', '1', '}', '.', 'a', '', 'b']);
});

test('reads regular expressions as one token', () => {
  expect(kinds('x = /[\'"`/*]\\/[/]/giu; y')).toEqual(['word', 'punctuation', 'regex', 'punctuation', 'word']);
  expect(kinds('return /a"/')).toEqual(['word', 'regex']);
  expect(kinds('`${/["`]/}` / 2')).toEqual(['template', 'regex', 'template', 'punctuation', 'number']);
});

test('does not take a division for a regular expression', () => {
  expect(texts('a / b / c')).toEqual(['a', '/', 'b', '/', 'c']);
  expect(texts('(a) / b[0] / 2')).toEqual(['(', 'a', ')', '/', 'b', '[', '0', ']', '/', '2']);
});

test('knows the line of each token', () => {
  expect(tokensOf('a\n/*\n\n*/ b `\n` c').map((token) => token.line)).toEqual([1, 4, 4, 5]);
});

test('skips the first line where it names an interpreter', () => {
  expect(texts('#!/usr/bin/env node\na')).toEqual(['a']);
});

test.each(["'open", '`open', '`${open`', '(', 'f(]', '}', '/* open', 'x = /open\n/'])('refuses %j', (source) => {
  expect(() => tokensOf(source)).toThrow(UnreadableSource);
});
