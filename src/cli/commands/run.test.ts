import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunState } from '../../domain/run.ts';
import { waitUntil } from '../../lib/wait-until.ts';
import { testContext } from '../fixture/context.ts';
import { FakeServer } from '../fixture/server.ts';
import { APPROVAL, DONE, end, park, QUOTA } from '../fixture/states.ts';
import { execute } from '../main.ts';

test('a run is followed to its end, which is the exit code', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  const ending = execute(context, [
    'run',
    'Round the totals',
    '--blueprint',
    'minion',
    '--limit',
    'wall=30m',
    '--limit',
    'cost=2 USD',
    '--label',
    'bug',
    '--label',
    'round totals',
    '--label',
    'bug',
    '--priority',
    '-3',
    '--yes',
  ]);
  await waitUntil(() => server.calls[0], { timeoutMs: 5000 });
  expect(server.calls[0]?.request).toMatchObject({
    task: 'Round the totals',
    repository: context.home,
    blueprint: 'minion',
    limits: { wall: '30m', cost: '2 USD' },
    labels: ['bug', 'round totals'],
    priority: -3,
    yes: true,
  });
  server.append({ kind: 'step.started', node: 'implement', n: 1, nodeKind: 'agent' });
  await context.shows('▸ implement');
  end(server, DONE);
  expect(await ending).toBe(0);
  expect(context.out()).toContain('✓ succeeded');
  expect(context.err()).toBe('');
});

test('a priority that is none is refused before a server is asked', async () => {
  await using context = await testContext();
  expect(await execute(context, ['run', 'x', '--priority', 'high'])).toBe(2);
  expect(context.err()).toContain('"high" is no priority');
  expect(await execute(context, ['run', 'x', '--priority', '101'])).toBe(2);
});

test('a run that goes on by itself ends the command with 3, which says when and how to follow it', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  park(server, QUOTA);
  expect(await execute(context, ['run', 'x'])).toBe(3);
  expect(context.out()).toContain('waits until 2026-11-27 09:22:17 UTC');
  expect(context.out()).toContain('It goes on by itself then.');
  expect(context.out()).toContain('switchyard logs -f round-the-totals-k7mz');
});

test.each(['', ' bug', 'bug,totals', 'a\nb', 'x'.repeat(65)])(
  'the label %j is refused before a server is asked',
  async (label) => {
    await using context = await testContext();
    expect(await execute(context, ['run', 'x', '--label', label])).toBe(2);
    expect(context.err()).toContain('a label has 1 to 64 characters');
  },
);

const ENDS: readonly [RunState, number][] = [
  [{ kind: 'failed', reason: { code: 'run/failed', message: 'It failed.' } }, 1],
  [{ kind: 'discarded' }, 4],
  [{ kind: 'cancelled' }, 6],
];

test.each(ENDS)('a run that ends as %j', async (state, code) => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  end(server, state);
  expect(await execute(context, ['run', 'x'])).toBe(code);
});

test('without a terminal a run that waits ends the command with 3 and says what to type', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  park(server, APPROVAL);
  expect(await execute(context, ['run', 'x'])).toBe(3);
  expect(context.out()).toContain('switchyard approve round-the-totals-k7mz --choice changes --note');
});

test('a park that was answered already is not believed', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.append({ kind: 'run.parked', reason: APPROVAL.reason, needs: APPROVAL.needs, node: 'review' });
  server.append({ kind: 'run.resumed', choice: 'approved', head: null });
  end(server, DONE);
  expect(await execute(context, ['run', 'x', '--yes'])).toBe(0);
});

test('the task comes from standard input or a file', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  end(server, DONE);
  context.stdin.end('from a pipe\nwith two lines\n');
  expect(await execute(context, ['run', '-'])).toBe(0);
  await writeFile(join(context.home, 'task.md'), 'from a file');
  expect(await execute(context, ['run', '--file', 'task.md'])).toBe(0);
  const tasks = server.calls
    .filter(({ name }) => name === 'startRun')
    .map(({ request }) => (request as { task: string }).task);
  expect(tasks).toEqual(['from a pipe\nwith two lines\n', 'from a file']);
});

test('what is not text in UTF-8 is refused', async () => {
  await using context = await testContext();
  await writeFile(join(context.home, 'task.bin'), Buffer.from([0xff, 0xfe, 0x00]));
  expect(await execute(context, ['run', '--file', 'task.bin'])).toBe(2);
  expect(context.err()).toContain('not text in UTF-8');
});

test('notes are shown once: with --detach, and else as the events that they are', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  const note = '1 changed file is left out: a.js';
  server.handlers.startRun = () => ({ schema: 1, run: server.run.id, task: 't', slug: server.run.slug, notes: [note] });
  server.append({ kind: 'message', level: 'info', text: note });
  end(server, DONE);
  expect(await execute(context, ['run', 'x'])).toBe(0);
  expect(context.out().split(note)).toHaveLength(2);
  expect(await execute(context, ['run', 'x', '--detach'])).toBe(0);
  expect(context.out().split(note)).toHaveLength(3);
});

test('--detach returns as soon as the run is accepted, with --json as an object', async () => {
  await using context = await testContext();
  await using _ = await new FakeServer(context.socket).listen();
  expect(await execute(context, ['run', 'x', '--detach', '--json'])).toBe(0);
  expect(JSON.parse(context.out())).toMatchObject({ schema: 1, run: 'k7mzq2xw9fhd', task: 'abcdefgh2345' });
});

test('--json writes the events as they come, and nothing else on standard output', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.startRun = () => ({
    schema: 1,
    run: server.run.id,
    task: 't',
    slug: server.run.slug,
    notes: ['a note'],
  });
  server.append({ kind: 'message', level: 'info', text: 'hello \u001b[31m' });
  park(server, APPROVAL);
  expect(await execute(context, ['run', 'x', '--json'])).toBe(3);
  const events = context
    .out()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(events).toEqual(server.journal);
  expect(context.out()).not.toContain('\u001b');
  expect(context.err()).toBe('');
});

test('a refusal of the server is said as it is, with its exit code', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  delete server.handlers.startRun;
  expect(await execute(context, ['run', 'x', '--json'])).toBe(5);
  expect(JSON.parse(context.err())).toMatchObject({ code: 'request/no-route' });
});

test('--quiet shows only where a person is needed and the end; --verbose shows everything', async () => {
  for (const flag of ['--quiet', '--verbose']) {
    await using context = await testContext();
    await using server = await new FakeServer(context.socket).listen();
    server.append({ kind: 'step.started', node: 'implement', n: 1, nodeKind: 'agent' });
    server.append({
      kind: 'agent.tool',
      node: 'implement',
      n: 1,
      call: '1',
      phase: 'ended',
      name: 'shell',
      output: 'the whole output',
      ok: true,
    });
    end(server, DONE);
    expect(await execute(context, ['run', 'x', flag])).toBe(0);
    expect(context.out().includes('the whole output')).toBe(flag === '--verbose');
    if (flag === '--quiet') expect(context.out()).toMatch(/^✓ succeeded\n/);
  }
});
