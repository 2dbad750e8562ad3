import { expect, test } from 'vitest';
import { mergeLimits } from '../domain/limits.ts';
import { loadMachineConfig } from './machine.ts';
import { loadRepositoryConfig } from './repository.ts';
import { BUILT_IN_LIMITS, chooseAgent, RunConfig, type RunConfigSources, resolveRunConfig } from './resolve.ts';

function valueOf<T>(loaded: { ok: true; value: T } | { ok: false }): T {
  if (!loaded.ok) throw new Error(JSON.stringify(loaded));
  return loaded.value;
}
const machine = (text = '') => valueOf(loadMachineConfig(text, '/home/ada/config.yaml'));
const repository = (text = '') => valueOf(loadRepositoryConfig(text, 'config.yaml'));
const resolve = (sources: Partial<RunConfigSources>) =>
  resolveRunConfig({
    machine: machine(),
    repository: repository(),
    blueprint: { name: 'pr', limits: {}, workspace: {} },
    ...sources,
  });

test('where nobody says anything the built-in values hold', () => {
  expect(resolve({})).toEqual({
    checks: [],
    checksFrom: 'none',
    setupSecrets: [],
    copy: [],
    carry: [],
    network: ['model', 'packages'],
    limits: BUILT_IN_LIMITS,
    limitLevels: { builtIn: BUILT_IN_LIMITS, machine: {}, repository: {}, blueprint: {}, flag: {} },
    protected: [],
    notes: [],
  });
});

test('what comes out can be stored and read back', () => {
  const config = resolve({
    repository: repository('checks: { t: { run: x, budget: 5s } }\nserver: https://s.example\nsetup: y'),
    flags: { sandbox: 'none' },
  });
  expect(RunConfig.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
});

test('the most specific limit wins, and nothing committed raises a value of the machine', () => {
  const config = resolve({
    machine: machine('defaults: { limits: { wall: 1h, turns: 30 } }'),
    repository: repository('limits: { wall: 3h, silence: 5m, cost: 2 USD }'),
    blueprint: { name: 'pr', limits: { turns: 20, cost: 9 }, workspace: {} },
    flags: { limits: { silence: 30_000 } },
  });
  expect(config.limits).toEqual({ wall: 3_600_000, silence: 30_000, turns: 20, steps: 40, cost: 9 });
  expect(config.notes).toEqual([
    expect.stringMatching(/^the repository asks for wall 3h; this machine allows 1h, which is in force/),
  ]);
});

test('a flag may raise a value of the machine', () => {
  const sources = { machine: machine('defaults: { limits: { wall: 1h } }'), flags: { limits: { wall: 7_200_000 } } };
  expect(resolve(sources)).toMatchObject({ limits: { wall: 7_200_000 }, notes: [] });
});

test('the levels are kept, so that a node can be held to them as well', () => {
  const { limitLevels } = resolve({ machine: machine('defaults: { limits: { turns: 30 } }') });
  expect(mergeLimits({ ...limitLevels, node: { turns: 90, silence: 1000 } }).limits).toMatchObject({
    turns: 30,
    silence: 1000,
  });
});

test('declared checks keep detected ones out, even when none is declared', () => {
  const detected = { checks: [{ name: 'test', kind: 'test', run: 'npm test' }], setup: 'npm ci' };
  expect(resolve({ detected })).toMatchObject({
    checks: detected.checks,
    checksFrom: 'detected',
    setup: 'npm ci',
    notes: [expect.stringContaining('detected, not declared: test')],
  });
  expect(resolve({ detected, repository: repository('checks: {}') })).toMatchObject({
    checks: [],
    checksFrom: 'declared',
    notes: [],
  });
});

test.each([
  ['setup: make deps', undefined, 'make deps'],
  ['setup: make deps', 'auto', 'make deps'],
  ['setup: make deps', './own', './own'],
  ['setup: make deps', 'none', undefined],
  ['setup: none', undefined, undefined],
  ['setup: none', 'auto', undefined],
  ['setup: auto', undefined, 'npm ci'],
  ['', 'auto', 'npm ci'],
])('with "%s" in the repository and %s in the blueprint, setup is %s', (text, written, setup) => {
  const blueprint = { name: 'pr', limits: {}, workspace: written === undefined ? {} : { setup: written } };
  expect(resolve({ repository: repository(text), blueprint, detected: { checks: [], setup: 'npm ci' } }).setup).toBe(
    setup,
  );
});

test('files to carry come from both, the network from the more specific', () => {
  const config = resolve({
    repository: repository('workspace: { copy: [.env], carry: [a, b], network: [example.org] }'),
    blueprint: { name: 'x', limits: {}, workspace: { carry: ['b', 'c'] } },
  });
  expect(config).toMatchObject({ copy: ['.env'], carry: ['a', 'b', 'c'], network: ['example.org'] });
});

test('the sandbox of the flag counts more than that of the machine', () => {
  expect(resolve({ machine: machine('sandbox: pid') }).sandbox).toBe('pid');
  expect(resolve({ machine: machine('sandbox: pid'), flags: { sandbox: 'bubblewrap' } }).sandbox).toBe('bubblewrap');
});

test('the agent is the named one, else the default, else the only one', () => {
  const two = 'agents: { a: { kind: codex }, b: { kind: pi } }';
  expect(chooseAgent(machine(`${two}\ndefaults: { agent: b }`), 'a')).toEqual({ ok: true, name: 'a' });
  expect(chooseAgent(machine(`${two}\ndefaults: { agent: b }`))).toEqual({ ok: true, name: 'b' });
  expect(chooseAgent(machine('agents: { a: { kind: codex } }'))).toEqual({ ok: true, name: 'a' });
  expect(chooseAgent(machine(two))).toMatchObject({ ok: false, hint: expect.stringContaining('a, b') });
  expect(chooseAgent(machine())).toMatchObject({ ok: false, message: 'no agent is configured' });
  expect(chooseAgent(machine(two), 'constructor')).toMatchObject({
    ok: false,
    message: 'there is no agent "constructor"',
  });
});

test.for([
  ['setup: { run: npm ci, secrets: [A] }', undefined, ['A']],
  ['setup: { run: npm ci, secrets: [A] }', 'auto', ['A']],
  ['setup: { run: auto, secrets: [A] }', undefined, ['A']],
  ['setup: { run: npm ci, secrets: [A] }', 'make', []],
  ['setup: { run: npm ci, secrets: [A] }', 'none', []],
  ['setup: { run: none, secrets: [A] }', undefined, []],
  ['setup: npm ci', undefined, []],
] as const)('the secrets of %s with the setup %s of a blueprint are %s', ([text, setup, secrets]) => {
  const workspace = setup === undefined ? {} : { setup };
  const config = resolve({
    repository: repository(text),
    blueprint: { name: 'pr', limits: {}, workspace },
    detected: { checks: [], setup: 'npm ci' },
  });
  expect(config.setupSecrets).toEqual(secrets);
});
