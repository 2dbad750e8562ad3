import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tempFolder, tempRepository } from '../../src/testing/temp-repository.ts';
import { type CliResult, Installation } from '../support/installation.ts';

/** What a person may hold out by mistake: each is refused before anything starts, with what to do. */

let installation: Installation;
const exec = promisify(execFile);

beforeAll(async () => {
  installation = await Installation.create({
    config: 'agents:\n  writer: { kind: custom, command: [sh, -c, "echo done > done.txt"] }\n',
  });
});
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
});

const run = (cwd: string, ...args: string[]) => installation.cli(['run', ...args, '--json'], { cwd });

function expectRefused(result: CliResult, exit: number, code: string): void {
  expect(result.stderr).toContain(`"code":"${code}"`);
  expect(JSON.parse(result.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({
    code,
    message: expect.any(String),
    hint: expect.stringMatching(/\w/),
  });
  expect(result.stderr).not.toMatch(/\n\s+at /);
  expect(result.code).toBe(exit);
}

test('a folder that is no repository is refused', async () => {
  await using folder = await tempFolder();
  expectRefused(await run(folder.path, 'Do it'), 2, 'repository/not-git');
});

test('a repository without a commit is refused', async () => {
  await using folder = await tempFolder();
  await exec('git', ['init', '-q', folder.path]);
  expectRefused(await run(folder.path, 'Do it'), 2, 'repository/empty');
});

test('a shallow clone is refused, with the way out', async () => {
  await using origin = await tempRepository();
  await origin.commit({ 'second.txt': 'two\n' });
  await using folder = await tempFolder();
  const clone = join(folder.path, 'clone');
  await exec('git', ['clone', '-q', '--depth', '1', `file://${origin.path}`, clone]);
  const result = await run(clone, 'Do it');
  expectRefused(result, 2, 'repository/shallow');
  expect(result.stderr).toContain('unshallow');
});

test('a base that does not exist is refused', async () => {
  await using repository = await tempRepository();
  expectRefused(await run(repository.path, 'Do it', '--base', 'no-such-branch'), 5, 'base/not-found');
});

test('a base like an option is not taken for one by git', async () => {
  await using repository = await tempRepository();
  expectRefused(await run(repository.path, 'Do it', '--base=--upload-pack=touch /tmp/never'), 5, 'base/not-found');
});

test('a repository whose submodules are nowhere to be had is refused', async () => {
  await using inner = await tempRepository();
  await using repository = await tempRepository();
  await repository.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner.path, 'inner');
  await repository.git('commit', '--quiet', '-m', 'Add a submodule');
  await rm(join(repository.path, '.git/modules'), { recursive: true });
  expectRefused(await run(repository.path, 'Do it'), 2, 'repository/submodule-missing');
});

test('an empty task is refused', async () => {
  await using repository = await tempRepository();
  expectRefused(await run(repository.path, '   '), 2, 'task/empty');
});

test('a task of a megabyte is refused', async () => {
  await using repository = await tempRepository();
  const file = join(installation.folder, 'long-task.md');
  await writeFile(file, 'x'.repeat(1024 * 1024));
  expectRefused(await run(repository.path, '--file', file), 2, 'task/too-large');
});

test('an agent whose program is missing is refused before anything starts', async () => {
  await using repository = await tempRepository();
  const config = 'agents:\n  gone: { kind: custom, command: [no-such-agent] }\n';
  await using own = await Installation.create({ config });
  const result = await own.cli(['run', 'Do it', '--json'], { cwd: repository.path });
  expectRefused(result, 2, 'agent/none');
  expect(result.stderr).toContain('no-such-agent is not on the PATH');
});

test('an agent that is not configured is refused', async () => {
  await using repository = await tempRepository();
  expectRefused(await run(repository.path, 'Do it', '--agent', 'nobody'), 2, 'agent/none');
});

test('a blueprint that does not exist is refused, and the others are named', async () => {
  await using repository = await tempRepository();
  const result = await run(repository.path, 'Do it', '--blueprint', 'nothing');
  expectRefused(result, 5, 'blueprint/not-found');
  expect(result.stderr).toContain('minion');
});

test('a file that cannot be read is the command’s own mistake, whatever it was to hold', async () => {
  await using repository = await tempRepository({ 'a.txt': 'a\n' });
  const cwd = { cwd: repository.path };
  expectRefused(await installation.cli(['run', '--file', 'nowhere.md', '--json'], cwd), 2, 'request/invalid');
  expectRefused(await installation.cli(['blueprint', 'check', 'nowhere.yaml', '--json'], cwd), 2, 'request/invalid');
});

test('a sandbox level that there is not, or that this machine lacks, is refused with the reason', async () => {
  await using repository = await tempRepository({ 'a.txt': 'a\n' });
  const result = await installation.cli(['run', 'x', '--sandbox', 'container', '--json'], { cwd: repository.path });
  expectRefused(result, 2, 'sandbox/unavailable');
  expect(result.stderr).toContain('no image is named');
  const unknown = await installation.cli(['run', 'x', '--sandbox', 'moat', '--json'], { cwd: repository.path });
  expectRefused(unknown, 2, 'request/invalid');
  expect(unknown.stderr).toContain('none, pid, bubblewrap, domains, container');
});

test('a limit that cannot be read is refused', async () => {
  await using repository = await tempRepository();
  expectRefused(await run(repository.path, 'Do it', '--limit', 'wall=soon'), 2, 'limit/invalid');
});

test('quick is refused in a repository without a check', async () => {
  await using repository = await tempRepository();
  expectRefused(await run(repository.path, 'Do it', '--blueprint', 'quick'), 2, 'blueprint/requires-check');
});

test.each([
  ['broken YAML', 'checks: [\n', 'config.yaml'],
  ['an agent with a command', 'agents:\n  mine: { kind: custom, command: [sh, -c, "touch /tmp/pwned"] }\n', 'agents'],
  [
    'keys that JavaScript knows',
    '__proto__: { polluted: true }\nconstructor: { prototype: { polluted: true } }\n',
    'config.yaml',
  ],
  [
    'a bomb of aliases',
    `a: &a [x, x, x, x, x, x, x, x, x]\n${['b', 'c', 'd', 'e', 'f', 'g'].map((name, n) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefg'[n]}`).join(', ')}]`).join('\n')}\n`,
    'config.yaml',
  ],
])('a repository configuration with %s is refused at its line', async (_, text, word) => {
  await using repository = await tempRepository({ 'README.md': 'x\n', '.switchyard/config.yaml': text });
  const result = await run(repository.path, 'Do it');
  expectRefused(result, 2, 'config/invalid');
  expect(result.stderr).toContain(word);
  expect(result.stderr).toMatch(/config\.yaml:\d+/);
});

test('a repository blueprint that cannot end is refused with every problem', async () => {
  await using repository = await tempRepository({
    '.switchyard/blueprints/loop.yaml':
      'start: a\nnodes:\n  a: { command: "true", next: b }\n  b: { command: "true", next: a, on: { fail: nowhere } }\n',
  });
  const result = await run(repository.path, 'Do it', '--blueprint', 'loop');
  expectRefused(result, 2, 'blueprint/invalid');
  expect(result.stderr).toContain('nowhere');
});

test('an unknown option, a missing argument and an unknown command end in 2 without a trace', async () => {
  for (const args of [['run', '--no-such-option'], ['show'], ['frobnicate']]) {
    const result = await installation.cli(args);
    expect(result.code).toBe(2);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  }
});

test('a run that does not exist is not found', async () => {
  const result = await installation.cli(['show', 'nothing-like-it', '--json']);
  expectRefused(result, 5, 'run/not-found');
});

test('a machine configuration that cannot be read is refused, and mended without a restart', async () => {
  await using own = await Installation.create({ config: 'agents: {\n' });
  await using repository = await tempRepository();
  const broken = await own.cli(['run', 'Do it', '--json'], { cwd: repository.path });
  expect(broken.stderr).toContain('config/invalid');
  expect(broken.code).toBe(2);
  await mkdir(own.home.folder, { recursive: true });
  await writeFile(
    own.home.config,
    'sandbox: pid\nagents:\n  writer: { kind: custom, command: [sh, -c, "echo done > done.txt"] }\n',
  );
  const mended = await own.cli(['run', 'Do it', '--json'], { cwd: repository.path });
  expect(mended.code).toBe(0);
});

test('a path that is relative to nothing the daemon knows of is refused', async () => {
  expect((await installation.cli(['server', 'up'])).code).toBe(0);
  const { client } = installation;
  const refusal = { code: 'request/invalid', message: expect.stringContaining('absolute path') };
  const checkout = (request: { folder: string; worktree?: string }) =>
    client.call('checkoutRun', request, { run: '@last' });
  await expect(checkout({ folder: '.' })).rejects.toMatchObject(refusal);
  await expect(checkout({ folder: '/', worktree: 'beside' })).rejects.toMatchObject(refusal);
  await expect(checkout({ folder: '/' })).rejects.toMatchObject({ code: 'run/not-found' });
  await expect(client.call('addRepository', { path: '..' })).rejects.toMatchObject(refusal);
  await expect(client.call('initRepository', { path: '..' })).rejects.toMatchObject(refusal);
});
