import { expect, test } from 'vitest';
import { commands, load, problems } from './fixture.ts';
import { unboundedLoops } from './loops.ts';

const message = (nodes: Readonly<Record<string, string>>) =>
  problems(commands(nodes)).map((text) => text.replace(/^\d+: /, ''));

test('a loop without a max is named', () => {
  expect(message({ a: 'next: b, on: { fail: done }', b: 'next: a, on: { fail: done }' })).toEqual([
    'nothing bounds the loop a → b → a',
  ]);
});

test('a node that leads to itself is a loop', () => {
  expect(message({ a: 'next: done, on: { fail: a }' })).toEqual(['nothing bounds the loop a → a']);
});

test('a max on one node bounds every loop through it', () => {
  expect(message({ a: 'next: b, on: { fail: done }', b: 'next: a, max: 3, on: { fail: done }' })).toEqual([]);
});

test('the steps of a run do not bound a loop', () => {
  const text = `limits: { steps: 5 }\n${commands({ a: 'next: done, on: { fail: a }' })}`;
  expect(problems(text)).toEqual(['4: nothing bounds the loop a → a']);
});

test('a max per a node outside of the loop bounds it', () => {
  const nodes = { a: 'next: b, on: { fail: failed }', b: 'next: done, max: 3, per: a, on: { fail: b }' };
  expect(message(nodes)).toEqual([]);
});

test('a max per a node inside the loop does not bound it', () => {
  const nodes = { a: 'next: b, on: { fail: done }', b: 'next: a, max: 3, per: a, on: { fail: done }' };
  expect(message(nodes)).toEqual(['nothing bounds the loop a → b → a']);
  const result = load(commands(nodes));
  expect(result).toMatchObject({ problems: [{ hint: 'the max of b does not count: its per, a, is in the loop too' }] });
});

test('an edge for exhausted is part of a loop, and its node does not bound that one', () => {
  const nodes = { a: 'next: done, max: 1, on: { fail: b, exhausted: b }', b: 'next: a, on: { fail: a }' };
  expect(message(nodes)).toEqual(['nothing bounds the loop a → b → a']);
  expect(load(commands(nodes))).toMatchObject({
    problems: [{ hint: 'the max of a does not count: the loop goes on over its edge for exhausted' }],
  });
  expect(message({ ...nodes, b: 'next: a, max: 2, on: { fail: a }' })).toEqual([]);
});

test('nodes that only pass each other over are no loop, since nothing is executed', () => {
  const nodes = {
    a: 'next: b, max: 1, on: { fail: done, exhausted: b }',
    b: 'next: a, max: 1, on: { fail: done, exhausted: a }',
  };
  expect(message(nodes)).toEqual([]);
});

test('loops that are bounded alone but restart each other are named together', () => {
  const edge = (to: string) => ({ outcome: 'pass', to });
  const nodes = [
    { name: 'a', max: 2, per: 'c', edges: [edge('b')] },
    { name: 'b', edges: [edge('a'), edge('c')] },
    { name: 'c', max: 2, per: 'a', edges: [edge('b')] },
  ];
  expect(unboundedLoops(nodes)).toEqual([{ kind: 'tangle', nodes: expect.arrayContaining(['a', 'b', 'c']) }]);
});

test('each unbounded loop is named', () => {
  const nodes = { a: 'next: b, on: { fail: a }', b: 'next: done, on: { fail: b }' };
  expect(message(nodes)).toEqual(['nothing bounds the loop a → a', 'nothing bounds the loop b → b']);
});
