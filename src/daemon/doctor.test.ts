import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { resolveHome } from '../lib/home.ts';
import type { DoctorReport, DoctorRow, Env } from './doctor/report.ts';
import { examine } from './doctor.ts';

const PROGRAMS = join(import.meta.dirname, '../../node_modules/.bin');

test('a machine without an agent has a problem, which says what to write where', async () => {
  const { env, folder } = await someHome();
  const report = await examine({ env, online: false });
  expect(report.ok).toBe(false);
  const [row] = rowsOf(report, 'Agents');
  expect(row).toMatchObject({ level: 'problem', hint: expect.stringContaining(join(folder, 'config.yaml')) });
});

test('an agent is told with its version and how it is signed in; one without its key with what to do', async () => {
  const { env } = await someHome(`agents:
  good: { kind: codex, endpoint: { api: responses, baseUrl: "http://127.0.0.1:9/v1", key: { env: MY_KEY } } }
  keyless: { kind: codex, endpoint: { api: responses, baseUrl: "http://127.0.0.1:9/v1", key: { env: NO_KEY } } }
`);
  const report = await examine({ env: { ...env, MY_KEY: 'secret-value' }, online: false });
  const manifest = JSON.parse(await readFile(join(PROGRAMS, '../@openai/codex/package.json'), 'utf8')) as object;
  const { version } = manifest as { version: string };
  expect(named(report, 'good')).toMatchObject({ level: 'ok', text: expect.stringContaining(`codex ${version}`) });
  expect(named(report, 'good')?.text).toContain('MY_KEY');
  expect(named(report, 'keyless')).toMatchObject({
    level: 'problem',
    text: expect.stringContaining('NO_KEY is not set'),
    hint: expect.stringContaining('Set NO_KEY'),
  });
  expect(report.ok).toBe(false);
  expect(JSON.stringify(report)).not.toContain('secret-value');
});

test('a spare key that is not set is a problem like the first; where it is set both are told', async () => {
  const { env } = await someHome(`agents:
  spared: { kind: codex, endpoint: { api: responses, baseUrl: "http://127.0.0.1:9/v1", key: { env: K }, spareKeys: [{ env: SPARE }] } }
  ours: { kind: custom, command: [sh], endpoint: { api: chat, baseUrl: "http://127.0.0.1:9/v1", key: { env: K }, spareKeys: [{ env: SPARE }] } }
`);
  const without = await examine({ env: { ...env, K: 'a-key' }, online: false });
  for (const name of ['spared', 'ours']) {
    expect(named(without, name)).toMatchObject({
      level: 'problem',
      text: expect.stringContaining('the variable SPARE is not set'),
      hint: expect.stringContaining('switchyard server restart'),
    });
  }
  const both = await examine({ env: { ...env, K: 'a-key', SPARE: 'another' }, online: false });
  expect(named(both, 'spared')).toMatchObject({
    level: 'ok',
    text: expect.stringContaining('the key in K (spare: SPARE)'),
  });
});

test('a command that is not there is a problem; a custom one is never started', async () => {
  const { env, folder } = await someHome(`agents:
  gone: { kind: codex, command: [/nowhere/codex], login: ~/.codex/auth.json }
  ours: { kind: custom, command: [./agent.sh] }
`);
  const script = join(folder, 'agent.sh');
  await writeFile(script, `#!/bin/sh\ntouch ${join(folder, 'started')}\n`, { mode: 0o755 });
  const report = await examine({ env, online: false });
  expect(named(report, 'gone')).toMatchObject({ level: 'problem' });
  expect(named(report, 'ours')).toMatchObject({ level: 'ok' });
  await expect(readFile(join(folder, 'started'))).rejects.toThrow();
});

test('several agents without a default are pointed out, and one that is the default is enough', async () => {
  const agents = 'agents:\n  one: { kind: custom, command: [sh] }\n  two: { kind: custom, command: [sh] }\n';
  const without = await examine({ env: (await someHome(agents)).env, online: false });
  expect(named(without, 'default')).toMatchObject({ level: 'warning', hint: expect.stringContaining('one, two') });
  const { env } = await someHome(`${agents}defaults: { agent: one }\n`);
  expect(named(await examine({ env, online: false }), 'default')).toBeUndefined();
});

test('a daemon that was killed is told by its socket, with the way to clear up; one that ended is not', async () => {
  const { env } = await someHome();
  expect(named(await examine({ env, online: false }), 'daemon')).toMatchObject({ level: 'info' });
  await writeFile(resolveHome(env).socket, '');
  expect(named(await examine({ env, online: false }), 'daemon')).toMatchObject({
    level: 'warning',
    hint: expect.stringContaining('doctor --fix'),
  });
});

test('an address is asked only where that is wanted, and one that does not answer is a problem', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { env } = await someHome(`agents:
  up: { kind: codex, endpoint: { api: responses, baseUrl: "http://127.0.0.1:${port}/v1" } }
`);
  await examine({ env, online: false });
  expect(asked).toEqual([]);
  const up = await examine({ env, online: true });
  expect(asked).toEqual(['/v1']);
  expect(named(up, 'online')).toMatchObject({ level: 'ok', text: expect.stringContaining('answers (HTTP 404)') });
  server.close();
  server.closeAllConnections();
  const down = await examine({ env, online: true });
  expect(named(down, 'online')).toMatchObject({ level: 'problem', hint: expect.stringContaining('baseUrl') });
});

test('limits are told with where they come from', async () => {
  const { env } = await someHome(`limits: { agents: 7 }
defaults: { limits: { wall: 30m } }
budgets:
  - { per: person, each: day, cost: 20 USD, tokens: 5M }
  - { per: everything, each: ever, cost: 900 USD, name: house }
`);
  const report = await examine({ env, online: false });
  expect(named(report, 'budgets')?.text).toBe(
    '20 USD and 5M tokens for each person, each day (person-day)\n900 USD for everything (house)',
  );
  expect(named(report, 'at once')?.text).toBe('7 agents (config.yaml), 4 in one repository (built in)');
  expect(named(report, 'each run')?.text).toContain('wall 30m (config.yaml), silence 15m (built in)');
});

test('a configuration that cannot be read is a problem at its line, and the rest is examined all the same', async () => {
  const { env } = await someHome('agents:\n  x: { kind: nonsense }\n');
  const report = await examine({ env, online: false });
  expect(report.ok).toBe(false);
  expect(named(report, 'config.yaml')).toMatchObject({
    level: 'problem',
    text: expect.stringContaining('config.yaml:2'),
  });
  expect(named(report, 'git')).toMatchObject({ level: 'ok' });
  expect(named(report, 'disk')?.text).toContain('free for');
});

test('a database that does not answer is a problem, and its password is not told', async () => {
  const { env } = await someHome();
  const url = 'postgres://ada:very-secret@127.0.0.1:9/db';
  const report = await examine({ env: { ...env, DATABASE_URL: url }, online: false });
  expect(named(report, 'database')).toMatchObject({ level: 'problem', text: expect.stringContaining('127.0.0.1:9') });
  expect(JSON.stringify(report)).not.toContain('very-secret');
});

async function someHome(config?: string): Promise<{ env: Env; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'doctor-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(folder, { recursive: true });
  if (config !== undefined) await writeFile(join(folder, 'config.yaml'), config);
  const env = {
    PATH: [PROGRAMS, process.env['PATH']].join(delimiter),
    HOME: folder,
    SWITCHYARD_HOME: folder,
    TMPDIR: folder,
  };
  return { env, folder };
}

function rowsOf(report: DoctorReport, title: string): readonly DoctorRow[] {
  return report.sections.find((section) => section.title === title)?.rows ?? [];
}

function named(report: DoctorReport, name: string): DoctorRow | undefined {
  return report.sections.flatMap(({ rows }) => rows).find((row) => row.name === name);
}
