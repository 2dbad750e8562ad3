import { expect, test } from 'vitest';
import { loadMachineConfig } from './machine.ts';

const FILE = '/home/ada/.local/state/switchyard/config.yaml';
const load = (text?: string) => loadMachineConfig(text, FILE, '/home/ada');

function problems(text: string): string[] {
  const loaded = load(text);
  return loaded.ok ? [] : loaded.problems.map(({ line, message }) => `${line} ${message}`);
}

test('without a file everything stands at its default', () => {
  const defaults = {
    agents: {},
    defaults: { blueprint: 'pr', limits: {} },
    limits: { agents: 4, perRepository: 4, perProvider: {} },
    retention: { trash: 'never', transcripts: 'never', runs: 'never', workspaces: 'never' },
    reads: [],
    privateHosts: [],
    workspaces: { pool: 0 },
    container: { devcontainer: { images: [], build: 'never' } },
    resources: {},
    prices: {},
    teams: {},
    budgets: [],
    secrets: { store: 'file' },
  };
  expect(load()).toEqual({ ok: true, value: defaults });
  expect(load('')).toEqual({ ok: true, value: defaults });
});

test('reads the example of the contract', () => {
  const text = `
agents:
  codex:
    kind: codex
    command: [codex]
    model: gpt-x
    endpoint: { api: responses, baseUrl: "http://127.0.0.1:4010/v1", key: { env: OPENAI_API_KEY } }
    env: {}
    args: []
defaults: { agent: codex, blueprint: pr, limits: { wall: 2h, silence: 15m, turns: 60 } }
limits: { agents: 4, perRepository: 4, perProvider: { } }
sandbox: pid
`;
  expect(load(text)).toMatchObject({
    ok: true,
    value: {
      agents: { codex: { kind: 'codex', command: ['codex'], endpoint: { api: 'responses' } } },
      defaults: { agent: 'codex', limits: { wall: 7_200_000, silence: 900_000, turns: 60 } },
      sandbox: 'pid',
    },
  });
});

test('paths come out absolute, relative to the file or to the home of the user; names on PATH stay names', () => {
  const text = `
agents:
  script: { kind: scripted, script: demo/steps.yaml }
  login: { kind: codex, login: ~/.codex/auth.json, command: [codex, ./arg] }
  own: { kind: custom, command: [./tools/agent, ./arg] }
  far: { kind: custom, command: [/opt/agent] }
`;
  expect(load(text)).toMatchObject({
    ok: true,
    value: {
      agents: {
        script: { script: '/home/ada/.local/state/switchyard/demo/steps.yaml' },
        login: { login: '/home/ada/.codex/auth.json', command: ['codex', './arg'] },
        own: { command: ['/home/ada/.local/state/switchyard/tools/agent', './arg'] },
        far: { command: ['/opt/agent'] },
      },
    },
  });
});

test.each([
  ['agents: { a: { kind: custom } }', '1 agent "a" is of kind custom and needs a command'],
  ['agents: { a: { kind: acp } }', '1 agent "a" is of kind acp and needs a command'],
  ['agents: { a: { kind: scripted } }', '1 agent "a" is of kind scripted and needs a script'],
  ['agents: { a: { kind: codex, script: x.yaml } }', '1 agent "a" has a script, which only kind scripted reads'],
  ['agents: { a: { kind: codex, format: jsonl } }', '1 agent "a" has a format, which only kind custom reads'],
  [
    'agents: { default: { kind: codex } }',
    '1 agent "default" has a name that blueprints use for no agent in particular',
  ],
  ['agents:\n  a: { kind: codex }\ndefaults:\n  agent: b', '4 there is no agent "b"'],
  [
    'agents: { a: { kind: codex, login: x, endpoint: { api: chat, baseUrl: "http://x", key: { env: K } } } }',
    '1 agent "a" has both a login and a key',
  ],
  [
    'agents: { a: { kind: codex, endpoint: { api: responses, cloud: { kind: bedrock, region: us-east-1 } } } }',
    '1 agent "a" has a cloud with the protocol "responses"',
  ],
  [
    'agents: { a: { kind: claude, login: x, endpoint: { api: anthropic, cloud: { kind: bedrock, region: us-east-1 } } } }',
    '1 agent "a" has both a login and a cloud',
  ],
  [
    'agents: { a: { kind: claude, endpoint: { api: anthropic, key: { env: K }, cloud: { kind: vertex, project: p, region: global } } } }',
    '1 agent "a" has a key for Vertex AI, which takes none',
  ],
  [
    'agents: { a: { kind: claude, endpoint: { api: anthropic, key: { env: K }, cloud: { kind: bedrock, region: us-east-1, profile: dev } } } }',
    '1 agent "a" has both a key and a profile for Bedrock',
  ],
  [
    'agents: { a: { kind: claude, endpoint: { api: anthropic, spareKeys: [{ env: K }], cloud: { kind: bedrock, region: us-east-1 } } } }',
    '1 agent "a" has spare keys for a cloud without a key',
  ],
  ['agents: { a: { kind: claude, endpoint: { api: anthropic } } }', '1 "baseUrl" is missing: text'],
  [
    'agents: { a: { kind: claude, endpoint: { api: anthropic, cloud: { kind: vertex, region: global } } } }',
    '1 "project" is missing: text',
  ],
  [
    'agents: { a: { kind: claude, endpoint: { api: anthropic, baseUrl: "http://x", model: y } } }',
    '1 unknown field "model"',
  ],
  [
    'agents: { a: { kind: codx } }',
    '1 expected one of claude, codex, pi, gemini, opencode, copilot, acp, custom, builtin, scripted',
  ],
  ['limits: { agents: 0 }', expect.stringContaining('at least 1')],
  ['limits: { wall: 2h }', '1 unknown field "wall"'],
  ['defaults: { limits: { wall: soon } }', '1 write a duration as 90s, 15m or 2h'],
  ['sandbox: strong', '1 expected one of none, pid, bubblewrap, domains, container'],
  ['agents: { "a b": { kind: codex } }', expect.stringContaining('a name is at most 64')],
  ['agents: { toString: { kind: codex } }', expect.stringContaining('taken by the language')],
])('refuses %s', (text, message) => {
  expect(problems(text)).toEqual([message]);
});

test('how long things are kept is written as a duration, or never', () => {
  expect(load('retention: { trash: 30d, workspaces: never }')).toMatchObject({
    ok: true,
    value: { retention: { trash: 2_592_000_000, runs: 'never', workspaces: 'never' } },
  });
  expect(problems('defaults: {}\nretention:\n  trash: soon\n  bin: 3d\n')).toEqual([
    '3 write how long it is kept as 30d or 12h, or never',
    expect.stringMatching(/^4 .*bin/),
  ]);
});

test('sizes, cores and what programs may read are read; a home-relative path comes out absolute', () => {
  const loaded = loadMachineConfig(
    'resources: { memory: 4GB, cpus: 1.5, processes: 512, disk: 10 GB, openFiles: 20000 }\nreads: [~/.rustup, tools]\nworkspaces: { provider: copy, pool: 2 }\n',
    '/home/ada/state/config.yaml',
    '/home/ada',
  );
  expect(loaded).toMatchObject({
    ok: true,
    value: {
      resources: { memory: 4 * 2 ** 30, cpus: 1.5, processes: 512, disk: 10 * 2 ** 30, openFiles: 20_000 },
      reads: ['/home/ada/.rustup', '/home/ada/state/tools'],
      workspaces: { provider: 'copy', pool: 2 },
    },
  });
});

test('a size without a unit is refused', () => {
  expect(loadMachineConfig('resources: { memory: 4000 }\n', 'config.yaml')).toMatchObject({ ok: false });
  expect(loadMachineConfig('resources: { openFiles: 100 }\n', 'config.yaml')).toMatchObject({ ok: false });
});

const keyed = (fields: string) =>
  `agents:\n  a: { kind: codex, endpoint: { api: responses, baseUrl: "http://127.0.0.1:1/v1", ${fields} } }`;

test.each(['key: { env: sk-a-key-55555 }', 'spareKeys: [{ env: sk-a-key-55555 }]'])(
  'a key in the place of the name of its variable is refused without showing it: %s',
  (fields) => {
    expect(problems(keyed(fields))).toEqual([
      '2 the name of an environment variable goes here, as OPENAI_API_KEY, and not the key itself',
    ]);
  },
);

test.each(['key: sk-a-key-55555', 'spareKeys: [sk-a-key-55555]'])(
  'a key that is written as it is, is refused without showing it, with how it is named: %s',
  (fields) => {
    expect(load(keyed(fields))).toMatchObject({
      problems: [{ message: 'expected a mapping, found text', hint: 'Write it as { env: OPENAI_API_KEY }' }],
    });
  },
);

test('names of variables are taken for keys', () => {
  expect(problems(keyed('key: { env: OPENAI_API_KEY }, spareKeys: [{ env: _spare2 }]'))).toEqual([]);
});

test('keys may be secrets, each a variable or a secret and not both; other places are no fields', () => {
  expect(problems(keyed('key: { secret: OPENAI_API_KEY }, spareKeys: [{ env: SPARE }, { secret: OTHER }]'))).toEqual(
    [],
  );
  for (const key of ['{}', '{ env: A, secret: B }']) {
    expect(problems(keyed(`key: ${key}`))).toEqual([expect.stringContaining('write either `env: NAME`')]);
  }
  expect(problems(keyed('key: { secret: sk-a-key-55555 }'))).toEqual([expect.not.stringContaining('sk-a-key')]);
  expect(load(keyed('key: { file: /run/key }'))).toMatchObject({
    problems: expect.arrayContaining([
      expect.objectContaining({ message: 'unknown field "file"', hint: expect.stringContaining('known: env, secret') }),
    ]),
  });
});

test.each([
  ['127.0.0.1:4777/v1', 'begin it with http:// or https://'],
  ['localhost:4777/v1', 'begin it with http:// or https://'],
  ['ftp://localhost/v1', 'begin it with http:// or https://'],
  ['http://', 'this is not an address'],
])('the address %s is refused: %s', (address, message) => {
  expect(problems(`agents: { a: { kind: pi, endpoint: { api: chat, baseUrl: "${address}" } } }`)).toEqual([
    `1 ${message}`,
  ]);
});
