import { expect, test } from 'vitest';
import { initialConfig } from './initial-config.ts';
import { configJsonSchemas } from './json-schema.ts';
import { loadRepositoryConfig } from './repository.ts';
import { declaredChecks } from './resolve.ts';
import { declaredServices } from './service.ts';

const load = (text?: string) => loadRepositoryConfig(text, '.switchyard/config.yaml');

function problems(text: string): string[] {
  const loaded = load(text);
  return loaded.ok ? [] : loaded.problems.map(({ line, message }) => `${line} ${message}`);
}

test('reads the example of the contract', () => {
  const text = `
checks:
  test: { run: "npm test", kind: test, timeout: 10m }
  lint: { run: "npm run lint", kind: lint, fix: "npm run lint -- --fix", changed: "npx eslint -- {files}" }
setup: npm ci
workspace: { copy: [.env.development], carry: [] }
limits: { wall: 2h, silence: 15m, turns: 60, cost: 5 USD, tokens: 3M }
protected: main
`;
  const loaded = load(text);
  expect(loaded).toEqual({
    ok: true,
    value: {
      checks: {
        test: { run: 'npm test', kind: 'test', timeout: 600_000 },
        lint: {
          run: 'npm run lint',
          kind: 'lint',
          timeout: 600_000,
          fix: 'npm run lint -- --fix',
          changed: 'npx eslint -- {files}',
        },
      },
      setup: 'npm ci',
      workspace: { copy: ['.env.development'], carry: [] },
      limits: { wall: 7_200_000, silence: 900_000, turns: 60, cost: 5, tokens: 3_000_000 },
      protected: ['main'],
    },
  });
});

test('without a file nothing is said', () => {
  expect(load()).toEqual({ ok: true, value: { workspace: { copy: [], carry: [] }, limits: {}, protected: [] } });
});

test('no checks and none declared are two things', () => {
  const silent = load('setup: make');
  if (!silent.ok) throw new Error('not loaded');
  for (const text of ['checks: {}', 'checks:\n  # none yet\n']) {
    const declared = load(text);
    expect(declared.ok && declaredChecks(declared.value)).toEqual([]);
  }
  expect(declaredChecks(silent.value)).toBeUndefined();
});

test('a check without a kind is of the kind of its name; times come in milliseconds', () => {
  const loaded = load('checks: { lint: { run: x, budget: 5s, timeout: 90s } }');
  if (!loaded.ok) throw new Error('not loaded');
  expect(declaredChecks(loaded.value)).toEqual([
    { name: 'lint', kind: 'lint', run: 'x', timeoutMs: 90_000, budgetMs: 5000 },
  ]);
});

test.each([
  [
    'agents: { codex: { kind: codex, command: [rm, -rf, /] } }',
    '1 a repository cannot name agents, their commands or their keys',
  ],
  ['setup: x\nagents: 3', '2 a repository cannot name agents, their commands or their keys'],
  ['sandbox: none', '1 a repository cannot choose the walls that it runs behind'],
  ['defaults: { agent: x }', '1 a repository cannot choose the defaults of a machine'],
  ['check: {}', '1 unknown field "check"'],
  ['checks: { test: { run: x, command: y } }', '1 unknown field "command"'],
  ['checks: { test: { kind: test } }', '1 "run" is missing: text'],
  ['checks: { test: { run: " " } }', '1 a command must not be empty'],
  ['checks: { all: { run: x } }', '1 "all" means all checks and names none'],
  ['checks: { lint: { run: x, changed: "eslint ." } }', '1 write {files} where the changed files go'],
  ['checks: { test: npm test }', '1 expected a mapping, found text'],
  ['workspace: { copy: [/etc/passwd] }', '1 a path is relative to the repository'],
  ['workspace: { copy: ["~/.ssh/id"] }', '1 a path is relative to the repository'],
  ['workspace: { carry: [a/../../b] }', '1 a path must not lead out of the repository'],
  ['workspace: { copy: [.git/config] }', '1 a path must not lead into .git'],
  ['server: ftp://x', '1 write an address as https://switchyard.example.org'],
  ['limits: { cost: 5 EUR }', '1 write an amount of money as 5 USD'],
  ['protected: 3', '1 expected text or a list, found 3'],
])('refuses %s', (text, message) => {
  expect(problems(text)).toEqual([message]);
});

test('a limit of money without its currency is refused with what was meant', () => {
  expect(load('limits: { cost: 5 }')).toMatchObject({ problems: [{ hint: 'Write it as 5 USD' }] });
});

test('the answer to `agents:` says where they belong', () => {
  const loaded = load('agents: {}');
  expect(loaded).toMatchObject({
    ok: false,
    problems: [{ hint: expect.stringContaining('config.yaml of SWITCHYARD_HOME') }],
  });
});

test('the first configuration says what was detected, in a form that is read back as it was', () => {
  const checks = [
    { name: 'lint', kind: 'lint', run: 'npm run lint', fix: 'npm run lint -- --fix' },
    { name: 'test:unit', kind: 'test', run: `echo "it's: #1" && x {a}`, timeoutMs: 90_000 },
  ];
  const text = initialConfig({ checks, setup: 'npm ci && uv sync', protected: 'main' });
  const loaded = load(text);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  expect(declaredChecks(loaded.value)).toEqual([
    { ...checks[0], timeoutMs: 600_000 },
    { ...checks[1], timeoutMs: 90_000 },
  ]);
  expect(loaded.value).toMatchObject({ setup: 'npm ci && uv sync', protected: ['main'] });
  expect(text.split('\n').length).toBeLessThanOrEqual(16);
});

test('where nothing was detected the first configuration declares nothing, and its comments show valid ones', () => {
  const text = initialConfig({ checks: [] });
  expect(load(text)).toEqual(load());
  const uncommented = text.replaceAll(/^# ((?: {2})?[a-z]+:.*)$/gm, '$1');
  expect(load(uncommented)).toMatchObject({
    ok: true,
    value: { checks: { test: { run: 'make test' } }, protected: ['main'] },
  });
});

test('editors get schemas of what people write', () => {
  const { repository, machine } = configJsonSchemas();
  expect(repository).toMatchObject({
    type: 'object',
    additionalProperties: false,
    properties: { setup: { anyOf: expect.arrayContaining([expect.objectContaining({ type: 'string' })]) } },
  });
  expect(JSON.stringify(repository)).toContain('A duration: 90s, 15m, 2h');
  expect(machine).toMatchObject({ properties: { agents: { type: 'object' } } });
  expect(repository.required ?? []).toEqual([]);
});

test('reads services, folders and setup by folder', () => {
  const text = `
services:
  db: { run: "postgres -D data", port: 5432, ready: pg_isready, timeout: 2m, stop: 10s }
  web: { run: npm run dev, port: 3000, path: packages//a/, after: setup }
checks:
  test-a: { run: npm test, path: ./packages/a }
setup: { packages/a: npm ci }
workspace: { sparse: [packages/a, shared] }
`;
  const loaded = load(text);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  expect(declaredServices(loaded.value.services ?? {})).toEqual([
    { name: 'db', run: 'postgres -D data', port: 5432, ready: 'pg_isready', timeoutMs: 120_000, stopMs: 10_000 },
    {
      name: 'web',
      run: 'npm run dev',
      port: 3000,
      timeoutMs: 60_000,
      stopMs: 5000,
      path: 'packages/a',
      after: 'setup',
    },
  ]);
  expect(declaredChecks(loaded.value)).toMatchObject([{ name: 'test-a', path: 'packages/a' }]);
  expect(loaded.value.workspace.sparse).toEqual(['packages/a', 'shared']);
});

test('says what is wrong with services, folders and setup, each at its line', () => {
  const text = `services:
  db: { run: postgres, port: 5432 }
  Big: { run: x, port: 1 }
  late: { run: x, port: 70000, after: checks }
checks:
  test: { run: x, path: ../other }
  lint: { run: x, path: packages/* }
setup:
  - auto
  - { path: ., run: x }
`;
  expect(problems(text)).toEqual([
    expect.stringContaining('3 a service is named with'),
    '4 a port above 64000 is not for services',
    '4 expected one of setup',
    '6 a path must not lead out of the repository',
    '7 write one folder, without patterns',
    '9 auto and none stand alone: write the command',
    '10 this is the whole repository: leave it out',
  ]);
});

test('what workspaces do not have cannot be where something runs', () => {
  const text = `workspace: { sparse: [packages/a] }
checks:
  a: { run: x, path: packages/a/deep }
  b: { run: x, path: packages/b }
services:
  c: { run: x, port: 1, path: packages/abc }
setup:
  - { path: packages, run: x }
  - x
`;
  expect(problems(text)).toEqual([
    '4 workspaces do not have packages/b: workspace.sparse leaves it out',
    '6 workspaces do not have packages/abc: workspace.sparse leaves it out',
    '8 workspaces do not have packages: workspace.sparse leaves it out',
  ]);
});

test('two services have no port in common', () => {
  const text = 'services:\n  db: { run: x, port: 5432 }\n  copy: { run: x, port: 5432 }\n';
  expect(problems(text)).toEqual(['3 db has this port already']);
});

test('checks and setup name secrets, each once', () => {
  const loaded = load(`
checks:
  e2e: { run: npm run e2e, secrets: [API_KEY, API_KEY, USER_2] }
setup: { run: npm ci, secrets: [NPM_TOKEN] }
`);
  expect(loaded).toMatchObject({
    ok: true,
    value: { checks: { e2e: { secrets: ['API_KEY', 'USER_2'] } }, setup: { run: 'npm ci', secrets: ['NPM_TOKEN'] } },
  });
  if (loaded.ok) expect(declaredChecks(loaded.value)).toMatchObject([{ secrets: ['API_KEY', 'USER_2'] }]);
});

test.for([
  ['checks: { t: { run: x, secrets: [PATH] } }', 'another meaning'],
  ['checks: { t: { run: x, secrets: [a-b] } }', 'name of an environment variable'],
  ['checks: { t: { run: x, secrets: [] } }', 'at least one'],
  ['checks: { t: { run: x, secrets: { A: value } } }', 'expected a list'],
  ['setup: { run: npm ci, secrets: [] }', 'at least one secret'],
])('%s is refused', ([text, message]) => {
  expect(problems(text ?? '')).toEqual([expect.stringContaining(message ?? '')]);
});
