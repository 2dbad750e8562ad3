import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startProcess } from '../../../lib/exec/start.ts';
import type { AgentEvent, AgentTurn } from '../../../ports/agent.ts';
import { type TempRepository, tempFolder, tempRepository } from '../../../testing/temp-repository.ts';
import { turnIn } from '../../../testing/turn-in.ts';
import { scriptedAgent } from './index.ts';

let repository: TempRepository;
beforeEach(async () => {
  repository = await tempRepository({ 'README.md': 'x\n' });
});
afterEach(async () => repository[Symbol.asyncDispose]());

test('plays the list of its step', async () => {
  const script = '{ steps: { implement: [ [{ say: first }], [{ say: second }, { sleep: 1ms }] ] } }';
  expect(said(await play(script, { step: 1 }))).toEqual(['first']);
  expect(said(await play(script, { step: 2 }))).toEqual(['second']);
});

test.each([
  ['a step beyond its list', 'implement', 2, 'only 1'],
  ['a node that it does not know', 'lint', 1, 'nothing'],
])('ends in an error at %s', async (_what, node, step, words) => {
  const events = await play('{ steps: { implement: [ [] ] } }', { node, step });
  expect(events.at(-1)).toMatchObject({
    kind: 'end',
    result: { kind: 'failed', failure: { class: 'bug', message: expect.stringContaining(words) } },
  });
});

test('commits what it wrote', async () => {
  const events = await play(`
steps:
  implement:
    - - write: { path: src/deep/a.txt, text: "hello\\n" }
      - commit: Add a
      - commit: Nothing to add
`);
  expect(events.filter((event) => event.kind === 'tool-ended').map(({ name, ok }) => [name, ok])).toEqual([
    ['write', true],
    ['commit', true],
    ['commit', false],
  ]);
  expect(await repository.git('log', '--format=%s', '-1')).toContain('Add a');
  expect(await repository.git('show', 'HEAD:src/deep/a.txt')).toContain('hello');
});

test('writes over a file, but through no link that leads outside', async () => {
  await using elsewhere = await tempFolder();
  const outside = join(elsewhere.path, 'outside');
  await writeFile(outside, 'untouched');
  await symlink(elsewhere.path, join(repository.path, 'up'));
  await symlink(outside, join(repository.path, 'link'));
  await mkdir(join(repository.path, 'inner'));
  await symlink('inner', join(repository.path, 'alias'));
  const write = (path: string) => `{ write: { path: ${path}, text: written } }`;
  const paths = ['README.md', 'up/escaped', 'link', 'alias/new'];
  const events = await play(`{ steps: { implement: [ [${paths.map(write).join(', ')}] ] } }`);
  expect(events.filter((event) => event.kind === 'tool-ended').map(({ ok }) => ok)).toEqual([true, false, false, true]);
  expect(await readFile(outside, 'utf8')).toBe('untouched');
  expect(await readFile(join(repository.path, 'inner', 'new'), 'utf8')).toBe('written');
});

test.each([
  ['0', { kind: 'done' }],
  ['3', { kind: 'failed', failure: expect.objectContaining({ message: expect.stringContaining('exit code 3') }) }],
])('leaves with exit code %s', async (code, result) => {
  const events = await play(`{ steps: { implement: [ [{ say: a }, { exit: ${code} }, { say: b }] ] } }`);
  expect(said(events)).toEqual(['a']);
  expect(events.at(-1)).toEqual({ kind: 'end', result });
});

test('does not wait for what a command left in the background', async () => {
  const events = await play('{ steps: { implement: [ [{ run: "sleep 20 & echo started" }] ] } }');
  expect(events).toContainEqual(expect.objectContaining({ kind: 'tool-ended', output: 'started\n', ok: true }));
});

test.each([
  [{ kind: 'new' }, 'scripted-run1'],
  [{ kind: 'resume', id: 'earlier' }, 'earlier'],
  [{ kind: 'fork', id: 'earlier' }, 'earlier-implement-1'],
] as const)('names its session when asked for %j', async (session, id) => {
  const events = await play('{ steps: { implement: [ [] ] } }', { session });
  expect(events[0]).toEqual({ kind: 'session', id });
});

test('refuses a script with mistakes before anything is started', async () => {
  await expect(play('steps: { implement: [[{ dance: true }]] }')).rejects.toMatchObject({
    code: 'agent/bad-script',
    message: expect.stringMatching(/script\.yaml:1: /),
  });
  await expect(scriptedAgent.command(turn('/no/such/script.yaml', {}))).rejects.toMatchObject({
    code: 'agent/bad-script',
  });
});

function said(events: readonly AgentEvent[]): string[] {
  return events.flatMap((event) => (event.kind === 'text' ? [event.text] : []));
}

async function play(script: string, more: Partial<AgentTurn> = {}): Promise<AgentEvent[]> {
  const file = join(repository.path, '.git', 'script.yaml');
  await writeFile(file, script);
  const asked = turn(file, more);
  const { argv, env, input } = await scriptedAgent.command(asked);
  const [program, ...args] = argv;
  const child = await startProcess({ file: program, args, cwd: asked.folder, env, input });
  const [stdout, stderr, exit] = await Promise.all([text(child.stdout), text(child.stderr), child.ended]);
  const parser = scriptedAgent.parser(asked);
  return [...stdout.split('\n').flatMap((line) => parser.line(line)), ...parser.end({ ...exit, stderr })];
}

function turn(script: string, more: Partial<AgentTurn>): AgentTurn {
  const [folder, home] = [repository.path, join(repository.path, '.git')];
  const hostEnv = { PATH: process.env['PATH'] };
  const place = { home, inside: { folder, home }, run: 'run1', node: 'implement', hostEnv };
  return turnIn(folder, { kind: 'scripted', script }, { ...place, ...more });
}
