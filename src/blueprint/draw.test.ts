import { expect, test } from 'vitest';
import { drawBlueprint } from './draw.ts';
import { commands, KINDS, loaded } from './fixture.ts';

test('a blueprint is drawn in the order in which a run can come to its nodes', () => {
  const blueprint = loaded(`
name: small
summary: Checks until green.
limits: { wall: 2h, cost: 5 USD }
requires: [check]
start: work
nodes:
  out: { deliver: branch, next: done, on: { conflict: failed } }
  look: { check: [format, lint], changed: true, fix: false, budget: 5s, max: 3, per: work,
          on: { pass: out, fixed: look, fail: work, missing: out } }
  work: { agent: default, max: 2, next: look, on: { unchanged: park } }
`);
  expect(drawBlueprint(blueprint, KINDS)).toBe(`small: Checks until green.
limits: wall 2h, cost 5 USD
requires: check

work  agent default max 2                                     done→look unchanged→park
look  check [format, lint] changed budget 5s max 3 per work   pass→out fixed→look fail→work missing→out
out   deliver branch                                          delivered→done conflict→failed

ends: done (succeeded), failed
An outcome that is not shown parks the run: it waits for a person.
`);
});

test('without the kinds, fields stand as they are stored', () => {
  const blueprint = loaded(commands({ a: 'budget: 5s, on: { pass: done, fail: failed }' }));
  expect(drawBlueprint(blueprint)).toContain('a  command true budget 5000   pass→done fail→failed');
});

test('blueprints inside are drawn below', () => {
  const inner = commands({ x: 'on: { pass: done, fail: failed }' });
  const blueprint = loaded('start: a\nnodes: { a: { blueprint: inner, next: done, on: { failed: park } } }', {
    blueprints: { inner },
  });
  expect(drawBlueprint(blueprint, KINDS)).toContain(
    '\ninside inner:\n  inner\n\n  x  command true   pass→done fail→failed\n',
  );
});

test('nothing in a blueprint can write to the terminal by itself', () => {
  const text = JSON.stringify({
    summary: 'a\u001b[31mred\u0007\nline',
    start: 'a',
    nodes: { a: { command: '\u001b]0;title\u0007rm \u202e x\n'.repeat(9), on: { pass: 'done', fail: 'failed' } } },
  });
  const drawing = drawBlueprint(loaded(text), KINDS);
  expect(drawing).not.toMatch(/[^\P{C}\n]/u);
  expect(drawing.split('\n')[2]?.length).toBeLessThan(120);
});
