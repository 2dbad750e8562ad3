import { execFile } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { smallDisk } from '../../src/testing/small-disk.ts';
import { tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/** What the machine does to a run: a second daemon, a database that goes away, a full disk. */

const FILES = { 'README.md': 'x\n', '.switchyard/config.yaml': 'checks: {}\nsetup: none\n' };

test('a second daemon for the same home leaves at once, and commands that start together share one', async () => {
  await using installation = await Installation.create();
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => installation.cli(['server', 'up', '--json'])));
  expect([first?.code, second?.code, third?.code]).toEqual([0, 0, 0]);
  const refused = await installation.cli(['server', 'run']);
  expect(refused.code).toBe(75);
  expect((await installation.client.call('health', {})).workers).toHaveLength(1);
});

test('a database that is killed while an agent works comes back, and the run ends as if nothing had been', async () => {
  await using repository = await tempRepository(FILES);
  await using installation = await Installation.create({
    config:
      'agents:\n  slow: { kind: custom, command: [sh, -c, "echo begun > begun.txt; sleep 3; echo done > done.txt"] }\n',
  });
  await installation.startDaemon();
  const { run } = await installation.client.call('startRun', {
    task: 'Take your time',
    repository: repository.path,
    requester: 'test',
  });
  await waitUntil(async () => (await installation.show(run)).steps[0]?.state === 'running', {
    timeoutMs: 30_000,
    what: 'the agent to work',
  });
  const pid = await installation.databasePid();
  expect(pid).toBeDefined();
  process.kill(pid ?? 0, 'SIGKILL');
  const ended = await installation.settled(run);
  expect(ended.state.kind).toBe('succeeded');
  expect(ended.steps.map((step) => `${step.node}:${step.outcome ?? '-'}:${step.attempts}`)).toEqual([
    'implement:done:1',
    'check:missing:1',
    'deliver:delivered:1',
  ]);
});

test('whoever watches a run starts a daemon again that has died, and leaves one that was stopped on purpose', async () => {
  await using repository = await tempRepository(FILES);
  await using installation = await Installation.create({
    config: 'agents:\n  slow: { kind: custom, command: [sh, -c, "echo begun > begun.txt; sleep 600"] }\n',
  });
  await installation.startDaemon();
  const { run } = await installation.client.call('startRun', {
    task: 'Take your time',
    repository: repository.path,
    requester: 'test',
  });
  const watching = installation.cli(['logs', '-f', run]);
  const running = async () => (await installation.show(run)).steps[0]?.state === 'running';
  await waitUntil(running, { timeoutMs: 30_000, what: 'the agent to work' });

  const { pid } = await installation.client.call('health', {});
  process.kill(pid, 'SIGKILL');
  const again = () =>
    installation.client.call('health', {}).then(
      (health) => health.pid !== pid,
      () => false,
    );
  await waitUntil(again, { timeoutMs: 60_000, what: 'another daemon' });
  expect((await installation.cli(['server', 'restart'])).code).toBe(0);

  expect((await installation.cli(['server', 'down'])).code).toBe(0);
  const watched = await watching;
  expect(watched.code).toBe(69);
  expect(watched.stderr).toContain('The daemon was stopped; the run goes on when it is back: switchyard server up');
  expect(await installation.answers()).toBe(false);
  expect((await installation.cli(['server', 'up'])).code).toBe(0);
  await waitUntil(running, { timeoutMs: 30_000, what: 'the agent to work again' });
  expect((await installation.cli(['cancel', run])).code).toBe(0);
});

test('a full disk parks the run and names it; the work is kept, and with room again a retry goes on', {
  timeout: 120_000,
}, async (context) => {
  await using disk = await smallDisk('4m');
  if (disk === undefined) return context.skip('this user may not mount a small disk');
  await using repository = await tempRepository(FILES);
  await using installation = await Installation.create({
    config:
      'agents:\n  writer: { kind: custom, command: [sh, -c, "[ -f big.bin ] || head -c 8000000 /dev/urandom > big.bin"] }\n',
  });
  await symlink(disk.path, installation.home.repositories);
  await installation.startDaemon();
  const { run } = await installation.client.call('startRun', {
    task: 'Write much',
    repository: repository.path,
    requester: 'test',
  });
  const parked = await installation.settled(run);
  expect(parked.state).toMatchObject({
    kind: 'parked',
    reason: { code: 'git/disk-full', message: expect.stringContaining('space') },
  });
  await promisify(execFile)('mount', ['-o', 'remount,size=64m', disk.path]);
  await installation.client.call('decideRun', { choice: 'retry', actor: 'test' }, { run });
  const ended = await installation.settled(run);
  expect(ended.state.kind).toBe('succeeded');
  expect(await repository.git('ls-tree', '--name-only', ended.branch ?? '', 'big.bin')).toBe('big.bin');
});
