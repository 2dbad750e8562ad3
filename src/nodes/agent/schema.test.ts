import { expect, test } from 'vitest';
import { loadBlueprint } from '../../blueprint/load.ts';
import { agentDescriptor } from './schema.ts';

const CHECKS = [
  { name: 'unit', kind: 'test' },
  { name: 'eslint', kind: 'lint' },
];

function load(doneWhen: string) {
  const text = `start: implement\nnodes:\n  implement:\n    agent: default\n    done-when: ${doneWhen}\n    next: done\n    on: { unchanged: park }\n`;
  return loadBlueprint(
    { file: 'test.yaml', text },
    {
      kinds: new Map([['agent', agentDescriptor]]),
      checks: CHECKS,
      readPrompt: () => undefined,
      readBlueprint: () => undefined,
    },
  );
}

test.each([
  ['unit', { checks: ['unit'], max: 3 }],
  ['[unit, lint]', { checks: ['unit', 'lint'], max: 3 }],
  ['all', { checks: ['all'], max: 3 }],
  ['build', { checks: ['build'], max: 3 }],
  ['{ checks: [unit], max: 1 }', { checks: ['unit'], max: 1 }],
  ['{ checks: eslint, max: 0 }', { checks: ['eslint'], max: 0 }],
])('done-when: %s is read', (written, read) => {
  const result = load(written);
  expect(result.ok && result.blueprint.nodes['implement']?.fields['done-when']).toEqual(read);
});

test.each([
  ['unti', 'there is no check "unti"'],
  ['[unit, nothing]', 'there is no check "nothing"'],
  ['{ checks: [nothing] }', 'there is no check "nothing"'],
])('done-when: %s names what is neither a check nor a kind, and is refused at its line', (written, message) => {
  const result = load(written);
  expect(!result.ok && result.problems).toEqual([expect.objectContaining({ line: 5, message })]);
});

test.each(['[]', '{ checks: [unit], max: -1 }', '{ checks: [unit], rounds: 3 }', '3'])(
  'done-when: %s is refused at its line',
  (written) => {
    const result = load(written);
    expect(!result.ok && result.problems).toEqual([expect.objectContaining({ line: 5 })]);
  },
);

test('an agent has no field for secrets', () => {
  const loaded = load('all\n    secrets: [NPM_TOKEN]');
  expect(loaded).toMatchObject({
    ok: false,
    problems: [expect.objectContaining({ message: expect.stringContaining('secrets') })],
  });
});
