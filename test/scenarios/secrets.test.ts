import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { dumpDatabase } from '../../src/store/dump.ts';
import { plainGit, type TempRepository, tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/** Secrets through a whole run: who gets them, who does not, and that nothing that the harness keeps or shows holds them. */

const DEPLOY = `dep/oy+"${'Kq7ü'.repeat(20)}"&?x`;
const INSTALL = 'npm_1aB2cD3eF4gH5iJ6';
const PUBLISH = 'publish-9z8Y7x6W5v';
const PROXY_PASSWORD = 'proxy-pass-4T5r6E';
const AGENT_KEY = 'sk-agent-0987654321';
const VALUES = { DEPLOY, INSTALL, PUBLISH, PROXY_PASSWORD, AGENT_KEY };

/** Says which of the variables it has, and shows the one that it is asked for in every way that programs do. */
const TELL = `
const has = ['DEPLOY_TOKEN', 'INSTALL_TOKEN', 'PUBLISH_TOKEN'].filter((name) => process.env[name] !== undefined);
const hash = (text) => require('node:crypto').createHash('sha256').update(text).digest('hex').slice(0, 12);
const facts = ['has: ' + has.join(' '), ...has.map((name) => name + ' is ' + hash(process.env[name])), ''].join('\\n');
const value = process.env[process.argv[2]];
if (value === undefined) process.stdout.write(facts);
else {
  const bytes = Buffer.from(value);
  const wrapped = (text, width) => text.replace(new RegExp('.{' + width + '}', 'g'), '$&\\n');
  for (const text of [
    value,
    'src/a.txt:3:1: error ' + value,
    '\\x1b[31m' + value.slice(0, 9) + '\\x1b[0m' + value.slice(9),
    wrapped(bytes.toString('base64'), 76),
    wrapped(Buffer.from('u:' + value).toString('base64'), 76),
    Buffer.from('xy' + value + 'z').toString('base64url'),
    wrapped(bytes.toString('hex'), 60),
    bytes.toString('hex').toUpperCase(),
    encodeURIComponent(value),
    JSON.stringify({ log: JSON.stringify({ value }) }),
    'x'.repeat(8 * 1024 - 10) + value,
  ]) console.log(text);
  process.stdout.write(value.slice(0, 5));
  setTimeout(() => { process.stdout.write(value.slice(5) + '\\n' + facts); process.exitCode = Number(process.argv[3]); }, 20);
}
`;
const tell = (name = '', code = 0) => `'${process.execPath}' tell.cjs ${name} ${code}`;

const REPOSITORY = stringify({
  setup: { run: `${tell('INSTALL_TOKEN')} | tee setup.log`, secrets: ['INSTALL_TOKEN'] },
  checks: {
    leaks: { run: `${tell('DEPLOY_TOKEN')}; test -e fixed.txt`, secrets: ['DEPLOY_TOKEN'] },
    other: { run: `${tell('DEPLOY_TOKEN')} > other.log; grep -qx 'has: ' other.log` },
  },
});

const BLUEPRINT = `
start: implement
nodes:
  implement: { agent: default, prompt: implement.md, next: check, on: { unchanged: park } }
  check:     { check: all, max: 3, on: { pass: publish, fixed: check, fail: fix, missing: park } }
  fix:       { agent: same, with: { failure: $check.report }, max: 2, next: check, on: { unchanged: park } }
  publish:   { command: "${tell('PUBLISH_TOKEN').replaceAll('"', '\\"')} | tee published.txt", secrets: [PUBLISH_TOKEN], next: ask, on: { fail: park } }
  ask:       { approval: requester, on: { approved: done, changes: done, abandoned: abandoned } }
`;

/** Writes down all that it gets, and puts what it finds into its words; the second time it also mends. */
const AGENT = `
cat > prompt.txt; env > env-$SWITCHYARD_NODE.txt
cat prompt.txt; cat env-$SWITCHYARD_NODE.txt; cat setup.log
[ $SWITCHYARD_NODE = implement ] || { cp prompt.txt failure.txt; touch fixed.txt; }
`;

let installation: Installation;
let repository: TempRepository;

beforeAll(async () => {
  installation = await Installation.create({
    config: stringify({
      agents: {
        writer: {
          kind: 'custom',
          command: ['sh', '-c', AGENT],
          endpoint: { api: 'chat', baseUrl: 'http://127.0.0.1:9/v1', key: { env: 'AGENT_KEY' } },
        },
      },
    }),
    env: { AGENT_KEY, HTTPS_PROXY: `http://ada:${PROXY_PASSWORD}@127.0.0.1:9` },
  });
  repository = await tempRepository({
    'tell.cjs': TELL,
    '.gitignore': '*.log\n',
    '.switchyard/config.yaml': REPOSITORY,
    '.switchyard/blueprints/tells.yaml': BLUEPRINT,
    '.switchyard/blueprints/prompts/implement.md': '{{task.body}}\n',
  });
});
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
  await repository[Symbol.asyncDispose]();
});

const start = (task = 'Do it') =>
  installation.cli(['run', task, '--blueprint', 'tells', '--json'], { cwd: repository.path });

test('a run of which a program would lack a secret is refused before anything is started, with what to do', async () => {
  const refused = await start();
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('"code":"secret/missing"');
  const failure = JSON.parse(refused.stderr) as { message: string; hint: string };
  for (const part of ['INSTALL_TOKEN (named by setup)', 'DEPLOY_TOKEN (named by the check leaks)', 'node publish'])
    expect(failure.message).toContain(part);
  expect(failure.hint).toContain('switchyard secret set DEPLOY_TOKEN');
  expect(await installation.client.call('listRuns', { all: '1' })).toEqual([]);
});

test('secrets reach the programs that name them and nobody else, and nothing that is kept or shown holds one', {
  timeout: 180_000,
}, async () => {
  const cwd = repository.path;
  const set = async (name: string, value: string, ...flags: string[]) => {
    const done = await installation.cli(['secret', 'set', name, ...flags], { cwd, input: `${value}\n` });
    expect(done).toMatchObject({ code: 0, stderr: '' });
    return done.stdout;
  };
  const said = [
    await set('DEPLOY_TOKEN', 'not this one, but the next'),
    await set('DEPLOY_TOKEN', DEPLOY),
    await set('INSTALL_TOKEN', INSTALL, '--everywhere'),
    await set('PUBLISH_TOKEN', PUBLISH),
  ];
  expect(said[1]).toContain('Replaced: DEPLOY_TOKEN');
  const listed = await installation.cli(['secret', 'ls', '--json'], { cwd });
  expect((JSON.parse(listed.stdout) as { name: string }[]).map(({ name }) => name)).toEqual([
    'DEPLOY_TOKEN',
    'INSTALL_TOKEN',
    'PUBLISH_TOKEN',
  ]);

  const result = await start(`Do it. The token is ${DEPLOY} and the key ${AGENT_KEY}`);
  expect(result).toMatchObject({ code: 3 });
  const id = (JSON.parse(result.stdout.split('\n')[0] ?? '') as { run: string }).run;
  const detail = await installation.show(id);
  expect(detail.steps.map(({ node, outcome }) => `${node} ${outcome}`)).toEqual([
    'implement done',
    'check fail',
    'fix done',
    'check pass',
    'publish pass',
    'ask null',
  ]);

  // Who has had what.
  const hash = (value: string) => createHash('sha256').update(value).digest('hex').slice(0, 12);
  const git = (...args: string[]) => plainGit(join(installation.home.repositories, storeName), ...args);
  const [storeName = ''] = (await readdir(installation.home.repositories)).filter((name) => name.endsWith('.git'));
  const file = (path: string) => git('show', `${detail.head}:${path}`);
  const failure = await file('failure.txt');
  expect(failure).toContain(`has: DEPLOY_TOKEN\nDEPLOY_TOKEN is ${hash(DEPLOY)}`);
  expect(failure).toContain('[secret DEPLOY_TOKEN]');
  expect(await file('published.txt')).toContain(`has: PUBLISH_TOKEN\nPUBLISH_TOKEN is ${hash(PUBLISH)}`);
  for (const node of ['implement', 'fix']) {
    const env = await file(`env-${node}.txt`);
    expect(env).toContain(`SWITCHYARD_NODE=${node}`);
    expect(env).not.toMatch(/^(DEPLOY|INSTALL|PUBLISH)_TOKEN=/m);
  }
  const logs = await installation.cli(['logs', id, '--json'], { cwd });
  expect(logs.stdout).toContain(`INSTALL_TOKEN is ${hash(INSTALL)}`);
  expect(logs.stdout).toContain('has: INSTALL_TOKEN');
  expect(logs.stdout).toContain('The task held the value of a secret');
  // The command has committed what it printed: that is said, and stays as it is.
  expect(await file('published.txt')).toContain(PUBLISH);
  expect(logs.stdout).toContain('Commits of this step hold the value of the secret PUBLISH_TOKEN');

  const shown = [result, logs, listed, await installation.cli(['logs', id], { cwd })];
  shown.push(await installation.cli(['show', id, '--json'], { cwd }), await installation.cli(['why', id], { cwd }));
  shown.push(await installation.cli(['show', id], { cwd }), await installation.cli(['secret', 'ls'], { cwd }));
  expectNone(`${said.join('')}${shown.map(({ stdout, stderr }) => stdout + stderr).join('')}`, 'what commands print');

  const { databaseUrl } = await installation.client.call('joinWorker', {});
  const lines: string[] = [];
  const write = async (line: string) => void lines.push(line);
  await dumpDatabase(databaseUrl, { write, signal: AbortSignal.timeout(60_000) });
  expect(lines.join('\n')).toContain('[secret DEPLOY_TOKEN]');
  expectNone(lines.join('\n'), 'the database');
  expectNone(await git('log', '--all', '--format=%an %ae %B'), 'commit messages');

  expect((await installation.cli(['server', 'down'])).code).toBe(0);
  const kept = new Set(['secrets.json']);
  let count = 0;
  for (const path of await filesBelow(installation.home.folder)) {
    if (kept.has(relative(installation.home.folder, path)) || isWorkOf(path, 'published.txt', 'setup.log')) continue;
    expectNone(await readFile(path, 'latin1'), path);
    count += 1;
  }
  expect(count).toBeGreaterThan(100);
});

test('a secret that was removed is missing again, and one of nobody is not found', async () => {
  const cwd = repository.path;
  const removed = await installation.cli(['secret', 'rm', 'DEPLOY_TOKEN'], { cwd });
  expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining('Removed: DEPLOY_TOKEN') });
  expect(await installation.cli(['secret', 'rm', 'DEPLOY_TOKEN'], { cwd })).toMatchObject({ code: 5 });
  expect(await installation.cli(['secret', 'rm', 'INSTALL_TOKEN'], { cwd })).toMatchObject({ code: 5 });
  const refused = await start();
  expect(JSON.parse(refused.stderr)).toMatchObject({ code: 'secret/missing' });
  expect(refused.stderr).not.toContain('INSTALL_TOKEN');
});

test('with a repository its own secrets go, which is said before', async () => {
  await using other = await tempRepository({ 'a.txt': 'a' });
  const set = await installation.cli(['secret', 'set', 'ITS_OWN'], { cwd: other.path, input: 'value-of-its-own' });
  expect(set.code).toBe(0);
  const said = await installation.cli(['repo', 'rm', other.path], { cwd: other.path });
  expect(said.stdout).toMatch(/would go: .*the secret ITS_OWN\.\n[^]*Nothing was done/);
  expect((await installation.cli(['repo', 'rm', other.path, '--yes'], { cwd: other.path })).code).toBe(0);
  const names = (await installation.client.call('listSecrets', {})).map(({ name }) => name);
  expect(names).toContain('INSTALL_TOKEN');
  expect(names).not.toContain('ITS_OWN');
});

test('a failure that is told over the API holds no secret', async () => {
  const refused = await installation.cli(['blueprint', 'show', `x${AGENT_KEY}`], { cwd: repository.path });
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('[secret AGENT_KEY]');
  expect(refused.stderr).not.toContain(AGENT_KEY);
});

test('a worker that joins takes secrets from the server’s store', { timeout: 120_000 }, async () => {
  const value = 'of-the-server-1234';
  await using server = await Installation.create({
    config: 'agents:\n  writer: { kind: custom, command: [sh, -c, "echo x > x.txt"] }\n',
  });
  await using work = await tempRepository({
    '.switchyard/config.yaml': `checks:\n  has: { run: 'echo "$TOKEN"; test "$TOKEN" = ${value}; false', secrets: [TOKEN] }\n`,
  });
  await server.startDaemon({}, ['--no-worker']);
  await server.startWorker('second');
  const set = await server.cli(['secret', 'set', 'TOKEN'], { cwd: work.path, input: value });
  expect(set.code).toBe(0);
  const run = await server.cli(['run', 'Do it', '--blueprint', 'quick', '--json'], { cwd: work.path });
  expect(run.stdout).toContain('output:\\n[secret TOKEN]');
  expect(run.stdout).not.toContain(value);
  expect(await readdir(join(server.folder, 'second'))).not.toContain('secrets.json');
});

/** What a program has made of files by itself is its own. */
function isWorkOf(path: string, ...names: readonly string[]): boolean {
  return /\/(workspaces|bases)\//.test(path) && names.some((name) => path.endsWith(`/${name}`));
}

function expectNone(text: string, where: string): void {
  const joined = text.replace(/[\r\n]/g, '');
  for (const [name, value] of Object.entries(VALUES)) {
    const bytes = Buffer.from(value);
    const forms = [
      value,
      bytes.toString('latin1'),
      JSON.stringify(value).slice(1, -1),
      encodeURIComponent(value),
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      ...[0, 1, 2].map((before) => inner(Buffer.concat([Buffer.alloc(before), bytes]).toString('base64'))),
    ];
    for (const form of [...forms, ...forms.map((one) => one.replaceAll('+', '-').replaceAll('/', '_'))])
      expect(joined.includes(form), `${name} in ${where}, as ${form}`).toBe(false);
  }
}

/** Without the characters that what comes before or after has a part in. */
function inner(base64: string): string {
  return base64.replaceAll('=', '').slice(3, -1);
}

async function filesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
