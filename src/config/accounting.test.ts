import { expect, test } from 'vitest';
import { configJsonSchemas } from './json-schema.ts';
import { loadMachineConfig } from './machine.ts';

function problems(text: string): string[] {
  const loaded = loadMachineConfig(text, 'config.yaml');
  return loaded.ok ? [] : loaded.problems.map(({ line, message }) => `${line} ${message}`);
}

test('prices, teams and budgets are read', () => {
  const text = `
prices:
  my-model: { input: 0.5, cached: 0.05, cacheWrite: 0.6, output: 2 }
  local/qwen3-coder:30b: { input: 0, output: 0 }
teams: { core: [ada, bob] }
budgets:
  - { per: person, each: day, cost: 20 USD }
  - { per: team, each: month, cost: 500 USD, tokens: 2G }
  - { name: at-all, per: everything, each: ever, tokens: 50M }
`;
  expect(loadMachineConfig(text, 'config.yaml')).toMatchObject({
    ok: true,
    value: {
      prices: {
        'my-model': { input: 0.5, cached: 0.05, cacheWrite: 0.6, output: 2 },
        'local/qwen3-coder:30b': { input: 0, output: 0 },
      },
      teams: { core: ['ada', 'bob'] },
      budgets: [
        { name: 'person-day', per: 'person', each: 'day', cost: 20 },
        { name: 'team-month', per: 'team', each: 'month', cost: 500, tokens: 2_000_000_000 },
        { name: 'at-all', per: 'everything', each: 'ever', tokens: 50_000_000 },
      ],
    },
  });
});

test.each([
  ['budgets: [{ per: person, each: day }]', '1 a budget needs a cost, tokens, or both'],
  ['budgets: [{ per: person, cost: 5 USD }]', '1 expected one of day, week, month, ever'],
  ['budgets: [{ per: people, each: day, cost: 5 USD }]', expect.stringContaining('expected one of run, task, person')],
  ['budgets: [{ per: person, each: day, cost: 5 EUR }]', '1 write an amount of money as 5 USD'],
  ['budgets: [{ per: person, each: day, tokens: none }]', '1 write a number as 60, 500k or 3M'],
  ['budgets: [{ per: person, each: day, tokens: 5M, turns: 60 }]', '1 unknown field "turns"'],
  ['budgets: [{ per: team, each: day, tokens: 5M }]', '1 there are no teams'],
  [
    'budgets:\n  - { per: run, each: ever, tokens: 5M }\n  - { per: run, each: ever, cost: 5 USD }',
    '3 there is a budget per run each ever already',
  ],
  [
    'budgets:\n  - { name: a, per: run, each: ever, tokens: 5M }\n  - { name: a, per: task, each: ever, tokens: 5M }',
    '3 there is a budget "a" already',
  ],
  ['prices: { m: { input: 1 } }', expect.stringContaining('output')],
  ['prices: { m: { input: -1, output: 1 } }', expect.stringMatching(/^1 /)],
  ['prices: { "m n": { input: 1, output: 1 } }', expect.stringContaining('the id of a model')],
  ['teams: { core: [] }', '1 a team has at least one person'],
])('refuses %s', (text, message) => {
  expect(problems(text)).toEqual([message]);
});

test.each([
  ['budgets: [{ per: person, each: day, cost: 20 }]', '20 USD'],
  ['defaults: { limits: { cost: 0.5 } }', '0.5 USD'],
])('money without its currency is refused with what was meant: %s', (text, meant) => {
  expect(loadMachineConfig(text, 'config.yaml')).toMatchObject({
    ok: false,
    problems: [{ message: expect.stringContaining('expected text, found') as string, hint: `Write it as ${meant}` }],
  });
});

test('two budgets for the same are fine under names of their own', () => {
  const text =
    'budgets:\n  - { per: run, each: ever, tokens: 5M }\n  - { name: money, per: run, each: ever, cost: 5 USD }';
  expect(problems(text)).toEqual([]);
});

test('editors know the keys', () => {
  expect(configJsonSchemas().machine.properties).toMatchObject({
    budgets: { type: 'array' },
    teams: { type: 'object' },
    prices: { type: 'object' },
  });
});
