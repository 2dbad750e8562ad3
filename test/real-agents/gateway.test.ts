import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { dumpDatabase } from '../../src/store/dump.ts';
import { type ModelReply, startModelServer, toolsUsed } from '../../src/testing/model-server.ts';
import { tap } from '../../src/testing/tap.ts';
import { plainGit, tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/** Real agents reach their model by way of the gateway: it has the key, and nothing that they, or anybody who looks later, can see does. */

const KEY = 'sk-the-real-key/of+the=account-0123456789abcdef';
const MODEL_INPUT = 100;
const MODEL_OUTPUT = 10;

const program = (name: string) => fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));

const AGENTS = [
  {
    kind: 'codex',
    model: 'scripted',
    api: 'responses',
    run: (cmd: string) => ({ tool: 'exec_command', input: { cmd } }),
  },
  {
    kind: 'claude',
    model: 'claude-opus-5-5',
    api: 'anthropic',
    run: (command: string) => ({ tool: 'Bash', input: { command, description: 'Look' } }),
  },
  { kind: 'pi', model: 'scripted', api: 'chat', run: (command: string) => ({ tool: 'bash', input: { command } }) },
] as const;

/** Writes into the workspace all that a program within the walls can see of the programs and files there. */
const LOOK = [
  'env > seen.env',
  'for p in /proc/[0-9]*; do cat $p/environ $p/cmdline; done > seen.proc 2>/dev/null',
  'find /run /etc/switchyard /dev/shm /var/tmp -type f -size -2000k -exec cat {} + > seen.files 2>/dev/null',
  '(find $HOME -type f -exec cat {} +; find /tmp -maxdepth 2 -type f -exec cat {} +) > seen.home 2>/dev/null',
  'echo 42 > answer.txt',
].join('; ');

for (const { kind, model: name, api, run } of AGENTS) {
  test(`${kind} works with a key that is nowhere but in its requests beyond the gateway`, {
    timeout: 180_000,
  }, async () => {
    await using model = await startModelServer(
      (request): ModelReply => (toolsUsed(request) > 0 ? { text: 'I have looked.' } : run(LOOK)),
      { key: KEY },
    );
    await using tapped = await tap(model.baseUrl);
    await using repository = await tempRepository({
      'README.md': 'x\n',
      '.switchyard/config.yaml': 'checks:\n  answer: { run: "test -f answer.txt", kind: test }\nsetup: none\n',
    });
    await using installation = await Installation.create({
      config: stringify({
        agents: {
          [kind]: {
            kind,
            command: [program(kind)],
            model: name,
            endpoint: { api, baseUrl: tapped.url, key: { env: 'REAL_KEY' } },
          },
        },
        prices: { [name]: { input: 1_000, output: 10_000 } },
      }),
      sandbox: undefined,
      env: { REAL_KEY: KEY },
    });
    const started = await installation.cli(['run', 'Look round', '--blueprint', 'quick', '--json'], {
      cwd: repository.path,
    });
    expect(started.stderr).toBe('');
    const { run: id } = JSON.parse(started.stdout.split('\n')[0] ?? '{}') as { run: string };
    const detail = await installation.show(id);
    expect(detail.steps[0]?.outcome, started.stdout + started.stderr).toBe('done');

    expect(tapped.sent()).toContain(KEY);
    const [store = ''] = (await readdir(installation.home.repositories)).filter((entry) => entry.endsWith('.git'));
    const seen = (file: string) =>
      plainGit(join(installation.home.repositories, store), 'show', `${detail.head}:${file}`);
    for (const file of ['seen.env', 'seen.proc', 'seen.files', 'seen.home']) expectNoKey(await seen(file), file);
    expect(await seen('seen.env')).toContain('SWITCHYARD_RUN=');
    expect(await seen('seen.proc')).toContain(kind);

    const { databaseUrl } = await installation.client.call('joinWorker', {});
    const lines: string[] = [];
    await dumpDatabase(databaseUrl, {
      write: async (line) => void lines.push(line),
      signal: AbortSignal.timeout(60_000),
    });
    expect(lines.join('\n')).toContain('REAL_KEY');
    expectNoKey(lines.join('\n'), 'the database');
    const logs = await installation.cli(['logs', id, '--json'], { cwd: repository.path });
    expectNoKey(logs.stdout, 'the transcript');

    const calls = model.requests().length;
    expect(detail.usage).toMatchObject({ input: calls * MODEL_INPUT, output: calls * MODEL_OUTPUT });
    expect(detail.usage.cost).toBeCloseTo((calls * (MODEL_INPUT * 1_000 + MODEL_OUTPUT * 10_000)) / 1_000_000, 6);

    await installation.cli(['server', 'down']);
    for (const path of await filesBelow(installation.home.folder)) expectNoKey(await readFile(path, 'latin1'), path);
  });
}

function expectNoKey(text: string, where: string): void {
  const bytes = Buffer.from(KEY);
  // What is in the middle of a value in base64 is the same whatever stands before it, but for its first and last letters.
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(4, -4),
  );
  const forms = {
    raw: KEY,
    hex: bytes.toString('hex'),
    percent: encodeURIComponent(KEY),
    json: JSON.stringify(KEY).slice(1, -1),
  };
  for (const [form, value] of [
    ...Object.entries(forms),
    ...base64.map((value, at) => [`base64+${at}`, value] as const),
  ]) {
    expect(text.includes(value), `the key as ${form} in ${where}`).toBe(false);
    expect(text.toLowerCase().includes(value.toLowerCase()) && form === 'hex', `the key as HEX in ${where}`).toBe(
      false,
    );
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
