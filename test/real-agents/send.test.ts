import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { type ModelReply, type ModelRequest, startModelServer, toolsUsed } from '../../src/testing/model-server.ts';
import { tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/**
 * Real agents that are told more after their run is over and its workspace gone, that are forked, and that take over from each other. What
 * the model is shown tells what each of them remembers.
 */

const bin = (name: string) => fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));
const AGENTS = {
  codex: {
    model: 'scripted',
    api: 'responses',
    run: (cmd: string): ModelReply => ({ tool: 'exec_command', input: { cmd } }),
  },
  claude: {
    model: 'claude-opus-5-5',
    api: 'anthropic',
    run: (command: string): ModelReply => ({ tool: 'Bash', input: { command, description: 'as the test says' } }),
  },
  pi: { model: 'scripted', api: 'chat', run: (command: string): ModelReply => ({ tool: 'bash', input: { command } }) },
} as const;
type Name = keyof typeof AGENTS;

const asked = ({ messages }: ModelRequest) => messages.findLast(({ role }) => role === 'user')?.text ?? '';
const seen = ({ messages }: ModelRequest) => messages.map(({ text }) => text).join('\n');

/** An installation whose agents write the file that they are asked for; each says in its last words which. */
async function stage() {
  const replyFor =
    (name: Name) =>
    (request: ModelRequest): ModelReply => {
      const file = [...asked(request).matchAll(/file (\w+)\.txt/g)].at(-1)?.[1] ?? 'other';
      return toolsUsed(request) > 0
        ? { text: `I have written ${file}.` }
        : AGENTS[name].run(`echo ${name} > ${file}.txt`);
    };
  const names = Object.keys(AGENTS) as Name[];
  const models = await Promise.all(names.map((name) => startModelServer(replyFor(name))));
  const entries = names.map((kind, index) => {
    const { model, api } = AGENTS[kind];
    const endpoint = { api, baseUrl: models[index]?.baseUrl, key: { env: 'MODEL_KEY' } };
    return [kind, { kind, command: [bin(kind)], model, endpoint }];
  });
  const installation = await Installation.create({
    config: JSON.stringify({ agents: Object.fromEntries(entries), defaults: { agent: 'codex' } }),
    env: { MODEL_KEY: 'a-key-for-the-test' },
  });
  const repository = await tempRepository({ 'README.md': 'x\n', '.switchyard/config.yaml': 'setup: none\n' });
  return {
    installation,
    repository,
    requestsOf: (name: Name) => models[names.indexOf(name)]?.requests() ?? [],
    async [Symbol.asyncDispose]() {
      await installation[Symbol.asyncDispose]();
      await repository[Symbol.asyncDispose]();
      for (const model of models) await model[Symbol.asyncDispose]();
    },
  };
}

type Stage = Awaited<ReturnType<typeof stage>>;

async function started(at: Stage, args: readonly string[]): Promise<string> {
  const result = await at.installation.cli([...args, '--json'], { cwd: at.repository.path });
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
  return (JSON.parse(result.stdout.split('\n')[0] ?? '{}') as { run: string }).run;
}

/** Waits until nothing of the run is left but what lies in the git store. */
async function workspaceIsGone(at: Stage, run: string): Promise<void> {
  const folder = join(at.installation.home.workspaces, run);
  await waitUntil(async () => (await stat(folder).catch(() => undefined)) === undefined, {
    timeoutMs: 20_000,
    what: `${folder} to be removed`,
  });
}

test.each(['codex', 'claude', 'pi'] as const)(
  'real %s remembers, when its workspace is gone, what it did before a message; its fork does, too, and not the other way round',
  { timeout: 180_000 },
  async (name) => {
    await using at = await stage();
    const run = await started(at, ['run', 'Write the file one.txt', '--agent', name]);
    await workspaceIsGone(at, run);
    await at.installation.cli(['send', run, 'Now the file two.txt']);
    await waitUntil(async () => (await at.installation.show(run)).steps.length > 3, { timeoutMs: 60_000 });
    expect((await at.installation.settled(run)).state.kind).toBe('succeeded');
    const told = at.requestsOf(name).find((request) => asked(request).includes('two.txt'));
    expect(told && seen(told)).toContain('I have written one.');
    const branch = (await at.installation.show(run)).branch ?? '';
    expect(await at.repository.git('show', `${branch}:two.txt`)).toBe(name);

    await workspaceIsGone(at, run);
    const fork = await started(at, ['fork', run, '--from', 'implement#1', '--prompt', 'Now the file three.txt']);
    const forked = at.requestsOf(name).find((request) => asked(request).includes('three.txt'));
    expect(forked && seen(forked)).toContain('I have written one.');
    expect(forked && seen(forked)).not.toContain('two.txt');
    const own = (await at.installation.show(fork)).branch ?? '';
    expect(await at.repository.git('ls-tree', '--name-only', own)).toBe('.switchyard\nREADME.md\none.txt\nthree.txt');

    await at.installation.cli(['send', run, 'Now the file four.txt']);
    await waitUntil(async () => (await at.installation.show(run)).steps.length > 6, { timeoutMs: 60_000 });
    await at.installation.settled(run);
    const last = at.requestsOf(name).find((request) => asked(request).includes('four.txt'));
    expect(last && seen(last)).toContain('I have written two.');
    expect(last && seen(last)).not.toContain('three.txt');
  },
);

test('real claude takes over in a fork from real codex, and is told what was done', { timeout: 120_000 }, async () => {
  await using at = await stage();
  const run = await started(at, ['run', 'Write the file one.txt']);
  const fork = await started(at, [
    'fork',
    run,
    '--from',
    'implement#1',
    '--agent',
    'claude',
    '--prompt',
    'Now the file two.txt',
  ]);
  const told = at
    .requestsOf('claude')
    .map(asked)
    .find((text) => text.includes('two.txt'));
  expect(told).toContain('Another agent has worked on this before you.');
  expect(told).toContain('I have written one.');
  const { branch, agent } = await at.installation.show(fork);
  expect(agent).toBe('claude');
  expect(await at.repository.git('show', `${branch}:one.txt`)).toBe('codex');
  expect(await at.repository.git('show', `${branch}:two.txt`)).toBe('claude');
});
