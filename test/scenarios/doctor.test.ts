import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { DoctorRow } from '../../src/api/schemas/doctor.ts';
import { tempRepository } from '../../src/testing/temp-repository.ts';
import { type CliResult, Installation } from '../support/installation.ts';

/** What `doctor` says of agents beside a daemon whose environment is another one than the shell's. */

const CONFIG = `agents:
  ours: { kind: custom, command: [sh], endpoint: { api: chat, baseUrl: "http://127.0.0.1:9/v1", key: { env: A_KEY } } }
`;

const rowOf = ({ stdout }: CliResult, name: string): DoctorRow | undefined => {
  const { sections } = JSON.parse(stdout) as { sections: { rows: DoctorRow[] }[] };
  return sections.flatMap(({ rows }) => rows).find((row) => row.name === name);
};

test('doctor looks for keys where the daemon does, says so, and a restart takes the shell’s along', {
  timeout: 120_000,
}, async () => {
  await using installation = await Installation.create({ config: CONFIG });
  const withKey = { env: { A_KEY: 'a-key-of-a-model' } };
  const doctor = (shell = {}) => installation.cli(['doctor', '--json'], shell);

  const before = await doctor(withKey);
  expect(rowOf(before, 'ours')?.level).toBe('ok');
  expect(rowOf(before, 'environment')?.text).toContain('that of this shell: no daemon runs');

  expect((await installation.cli(['server', 'up'])).code).toBe(0);
  const keyless = await doctor(withKey);
  expect(keyless.code).toBe(1);
  expect(rowOf(keyless, 'environment')?.text).toContain('that of the daemon (process ');
  expect(rowOf(keyless, 'ours')).toMatchObject({
    level: 'problem',
    text: expect.stringContaining('A_KEY'),
    hint: expect.stringContaining('switchyard server restart'),
  });

  expect((await installation.cli(['server', 'restart'], withKey)).code).toBe(0);
  const after = await doctor();
  expect(rowOf(after, 'ours')?.level).toBe('ok');
  expect(after.stdout).not.toContain('a-key-of-a-model');
});

test('the key of an agent is taken from the secrets, where doctor and run find it missing first, and reaches the model alone', {
  timeout: 120_000,
}, async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.authorization);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":[]}');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask =
    'import("node:fs").then(async (fs) => { const { env } = process; const answer = await fetch(env.OPENAI_BASE_URL + "/models", { headers: { authorization: "Bearer " + env.OPENAI_API_KEY } }); fs.writeFileSync("seen.txt", answer.status + JSON.stringify(env)); });';
  await using repository = await tempRepository({ '.switchyard/config.yaml': 'checks: {}\nsetup: none\n' });
  await using installation = await Installation.create({
    config: JSON.stringify({
      sandbox: 'pid',
      agents: {
        ours: {
          kind: 'custom',
          command: [process.execPath, '-e', ask],
          endpoint: { api: 'chat', baseUrl: `http://127.0.0.1:${port}/v1`, key: { secret: 'MODEL_KEY' } },
        },
      },
    }),
    sandbox: undefined,
  });
  const cli = (args: readonly string[], input = '') => installation.cli(args, { cwd: repository.path, input });

  const refused = await cli(['run', 'Ask the model']);
  expect(refused.code).toBe(2);
  const missing = rowOf(await cli(['doctor', '--json']), 'ours');
  expect(missing).toMatchObject({
    level: 'problem',
    text: expect.stringContaining('the secret MODEL_KEY is not stored'),
    hint: expect.stringContaining('switchyard secret set MODEL_KEY --everywhere'),
  });

  const own = await cli(['secret', 'set', 'MODEL_KEY'], 'key-of-the-repository');
  expect(own.stdout).toContain('Set it with --everywhere');
  const set = await cli(['secret', 'set', 'MODEL_KEY', '--everywhere'], 'key-of-the-model');
  expect(set.stdout).toContain('It is the key of ours');
  const found = await cli(['doctor', '--online', '--json']);
  expect(rowOf(found, 'ours')?.level).toBe('ok');
  expect(rowOf(found, 'online')?.text).toContain('takes the key in MODEL_KEY');

  const { run } = await installation.client.call('startRun', {
    task: 'Ask the model',
    repository: repository.path,
    requester: 'test',
  });
  await installation.settled(run);
  expect(asked).toEqual(['Bearer key-of-the-model', 'Bearer key-of-the-model']);
  const { stdout } = await cli(['diff', run]);
  expect(stdout).toContain('+200{');
  expect(stdout).not.toContain('key-of-the-model');
});
