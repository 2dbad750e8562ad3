import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { advance, begin } from './advance.ts';
import { drawBlueprint } from './draw.ts';
import { KINDS } from './fixture.ts';
import { loadBlueprint } from './load.ts';

const FOLDER = join(import.meta.dirname, '../../blueprints');
const shipped = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));
const prompts = readdirSync(join(FOLDER, 'prompts'));

function shippedBlueprint(file: string) {
  const source = { file, text: readFileSync(join(FOLDER, file), 'utf8') };
  const result = loadBlueprint(source, {
    kinds: KINDS,
    agents: [],
    checks: [],
    readPrompt: (name) => (prompts.includes(name) ? readFileSync(join(FOLDER, 'prompts', name), 'utf8') : undefined),
    readBlueprint: () => undefined,
  });
  if (!result.ok) throw new Error(JSON.stringify(result.problems, undefined, 2));
  return result.blueprint;
}

describe.each(shipped)('%s', (file) => {
  test('is accepted, bears the name of its file and says what it is for', () => {
    const blueprint = shippedBlueprint(file);
    expect(blueprint.name).toBe(basename(file, '.yaml'));
    expect(blueprint.summary).toBeTruthy();
    expect(drawBlueprint(blueprint, KINDS)).toContain('done (succeeded)');
  });

  test('is one file under 60 lines', () => {
    expect(readFileSync(join(FOLDER, file), 'utf8').split('\n').length).toBeLessThan(60);
  });
});

test.each(prompts)('the prompt %s uses no more than {{name}} and {{#if name}}…{{/if}}', (prompt) => {
  const text = readFileSync(join(FOLDER, 'prompts', prompt), 'utf8');
  const left = text.replace(/\{\{#if [a-z.]+\}\}|\{\{\/if\}\}|\{\{[a-z.]+\}\}/g, '');
  expect(left).not.toMatch(/[{}]{2}/);
  expect(text.match(/\{\{#if/g)?.length).toBe(text.match(/\{\{\/if/g)?.length);
});

/** The places that a run of a shipped blueprint comes to when its steps end so. */
function walk(file: string, outcomes: readonly string[]): string[] {
  const blueprint = shippedBlueprint(file);
  let { state } = begin(blueprint, {}, { steps: 40 });
  return outcomes.map((outcome) => {
    const next = advance(blueprint, state, { outcome });
    state = next.state;
    const { transition } = next;
    return transition.kind === 'step'
      ? transition.step.node
      : `${transition.kind} ${transition.kind === 'park' ? transition.node : transition.end}`;
  });
}

test('pr makes at most two fixes and then asks a person', () => {
  expect(walk('pr.yaml', ['done', 'fail', 'done', 'fail', 'done', 'fail'])).toEqual([
    'check',
    'fix',
    'check',
    'fix',
    'check',
    'park fix',
  ]);
  expect(walk('pr.yaml', ['done', 'pass', 'delivered'])).toEqual(['check', 'deliver', 'end done']);
});

test('quick merges what is green and parks what is not', () => {
  expect(walk('quick.yaml', ['done', 'fixed', 'pass', 'merged'])).toEqual(['check', 'check', 'merge', 'end done']);
  expect(walk('quick.yaml', ['done', 'fail'])).toEqual(['check', 'park check']);
});

test('minion hands over after one fix of CI, and a retry has its fixes again', () => {
  expect(walk('minion.yaml', ['done', 'pass', 'fail', 'done', 'fail', 'retry', 'done', 'pass', 'fail'])).toEqual([
    'lint',
    'ci',
    'fix-ci',
    'ci',
    'hand-over',
    'implement',
    'lint',
    'ci',
    'fix-ci',
  ]);
});
