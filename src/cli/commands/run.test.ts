import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunState } from '../../domain/run.ts';
import { SwitchyardError } from '../../lib/error.ts';
import { waitUntil } from '../../lib/wait-until.ts';
import { testContext } from '../fixture/context.ts';
import { screenOf } from '../fixture/screen.ts';
import { FakeServer } from '../fixture/server.ts';
import { execute } from '../main.ts';

const DONE: RunState = { kind: 'succeeded', end: 'done' };
const REASON = { code: 'approval/wanted', message: 'review waits for a person.' };
const APPROVAL: RunState = {
  kind: 'parked',
  reason: REASON,
  needs: { kind: 'approval', choices: ['approved', 'changes', 'abandoned', 'retry'], head: 'c'.repeat(40) },
};
const NO_DIFF = {
  schema: 1,
  base: 'b',
  head: 'c',
  stat: ' a.js | 2 +-\n',
  patch: 'diff --git a/a.js b/a.js\n-old\n+new\n',
} as const;

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
  if (APPROVAL.kind === 'parked')
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

test('on a terminal an approval shows what changed, the diff when asked, and goes on when approved', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.diffRun = () => NO_DIFF;
  server.handlers.decideRun = () => {
    server.append({ kind: 'run.resumed', choice: 'approved', head: null });
    end(server, DONE);
    return { schema: 1, run: server.run.id, state: server.run.state, working: true };
  };
  park(server, APPROVAL);
  const ending = execute(context, ['run', 'x']);
  await context.shows('a.js | 2 +-');
  await context.shows('[a]pprove  [c]hanges  a[b]andon  [d]iff  [l]ater? ');
  context.type('d');
  await context.shows('+new');
  await context.shows('[l]ater? ');
  context.type('nonsense');
  await context.shows('[l]ater? ');
  context.type('a');
  expect(await ending).toBe(0);
  expect(decisions(server)).toEqual([{ choice: 'approved', head: 'c'.repeat(40) }]);
});

test('changes are asked for with a note', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.diffRun = () => NO_DIFF;
  server.handlers.decideRun = () => {
    server.append({ kind: 'run.resumed', choice: 'changes', head: null });
    end(server, DONE);
    return { schema: 1, run: server.run.id, state: server.run.state, working: true };
  };
  park(server, APPROVAL);
  const ending = execute(context, ['run', 'x']);
  await context.shows('[l]ater? ');
  context.type('c');
  await context.shows('What should be different? ');
  context.type('use cents');
  expect(await ending).toBe(0);
  expect(decisions(server)).toEqual([{ choice: 'changes', note: 'use cents', head: 'c'.repeat(40) }]);
});

test.each(['l', 'end of input', 'Ctrl-C'])('an approval that is put off (%s) leaves the run waiting', async (how) => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.diffRun = () => NO_DIFF;
  park(server, APPROVAL);
  const ending = execute(context, ['run', 'x']);
  await context.shows('[l]ater? ');
  // How to answer is told to whoever put it off, and not in front of the question.
  expect(context.out()).not.toContain('switchyard approve');
  if (how === 'Ctrl-C') context.interrupt();
  else if (how === 'l') context.type('l');
  else context.stdin.end();
  expect(await ending).toBe(3);
  expect(context.out()).toContain('switchyard approve round-the-totals-k7mz');
  expect(decisions(server)).toEqual([]);
});

test('a run that has moved on while its question was open is looked at again', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.diffRun = () => NO_DIFF;
  server.handlers.decideRun = () => {
    end(server, DONE);
    throw new SwitchyardError({ code: 'decision/head-moved', message: 'The head has moved.', hint: '' });
  };
  park(server, APPROVAL);
  const ending = execute(context, ['run', 'x']);
  await context.shows('[l]ater? ');
  context.type('a');
  expect(await ending).toBe(0);
  expect(context.out()).toContain('The head has moved.');
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

test('on a terminal what goes on is drawn in place, and the end is clean', async () => {
  await using context = await testContext({ terminal: true, columns: 60 });
  await using server = await new FakeServer(context.socket).listen();
  const ending = execute(context, ['run', 'x']);
  server.append({ kind: 'step.started', node: 'implement', n: 1, nodeKind: 'agent' });
  server.append({
    kind: 'agent.tool',
    node: 'implement',
    n: 1,
    call: '1',
    phase: 'started',
    name: 'edit',
    input: 'src/a.js',
  });
  await context.shows('→ edit src/a.js');
  server.append({ kind: 'agent.text', node: 'implement', n: 1, text: 'Done.' });
  server.append({ kind: 'step.ended', node: 'implement', n: 1, outcome: 'done', checkpoint: null });
  end(server, DONE);
  expect(await ending).toBe(0);
  const screen = screenOf(context.out(), 60);
  expect(screen[0]).toMatch(/^✓ implement +done/);
  expect(screen.slice(1, 3)).toEqual(['    Done.', '✓ succeeded']);
});

test('Ctrl-C asks; a second one leaves the run at work, and says so', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  const ending = execute(context, ['run', 'x']);
  server.append({ kind: 'step.started', node: 'implement', n: 1, nodeKind: 'agent' });
  await context.shows('▸ implement');
  context.interrupt();
  await context.shows('[d]etach');
  context.interrupt();
  expect(await ending).toBe(130);
  expect(context.out()).toContain('The run goes on without you.');
  expect(server.calls.map(({ name }) => name)).not.toContain('cancelRun');
});

test('Ctrl-C and then c cancels the run', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.cancelRun = () => {
    end(server, { kind: 'cancelled' });
    return { schema: 1, run: server.run.id, state: server.run.state, working: false };
  };
  const ending = execute(context, ['run', 'x']);
  server.append({ kind: 'step.started', node: 'implement', n: 1, nodeKind: 'agent' });
  await context.shows('▸ implement');
  context.interrupt();
  await context.shows('[d/c/w, then Enter; Ctrl-C: d] ');
  context.type('c');
  expect(await ending).toBe(6);
});

test('Ctrl-C and then w goes on watching', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  const ending = execute(context, ['run', 'x']);
  server.append({ kind: 'step.started', node: 'implement', n: 1, nodeKind: 'agent' });
  await context.shows('▸ implement');
  context.interrupt();
  await context.shows('[d/c/w, then Enter; Ctrl-C: d] ');
  context.type('w');
  end(server, DONE);
  expect(await ending).toBe(0);
});

test('a signal that leaves no time leaves the run at once, on a terminal too', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  const ending = execute(context, ['run', 'x']);
  server.append({ kind: 'step.started', node: 'implement', n: 1, nodeKind: 'agent' });
  await context.shows('▸ implement');
  context.interrupt('SIGTERM');
  expect(await ending).toBe(130);
  expect(context.out()).not.toContain('[d]etach');
});

test('without a terminal Ctrl-C leaves the run at once', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  const ending = execute(context, ['run', 'x']);
  server.append({ kind: 'step.started', node: 'implement', n: 1, nodeKind: 'agent' });
  await context.shows('▸ implement');
  context.interrupt();
  expect(await ending).toBe(130);
  expect(context.out()).toContain('switchyard logs -f round-the-totals-k7mz');
});

test('a server that goes away in the middle is reached again: each event is shown once, and the loss is said once', async () => {
  await using elsewhere = await testContext();
  await using context = await testContext({ env: { SWITCHYARD_SERVER: `unix:${elsewhere.socket}` } });
  await using server = await new FakeServer(elsewhere.socket).listen();
  const ending = execute(context, ['run', 'x']);
  server.append({ kind: 'message', level: 'info', text: 'one' });
  await context.shows('i one');
  await server.close();
  await rm(elsewhere.socket, { force: true });
  server.append({ kind: 'message', level: 'info', text: 'two' });
  await context.shows('The server went away');
  await server.listen();
  await context.shows('The server is back');
  end(server, DONE);
  expect(await ending).toBe(0);
  expect(context.out().match(/i one/g)).toHaveLength(1);
  expect(context.out().match(/i two/g)).toHaveLength(1);
  expect(context.out().match(/went away/g)).toHaveLength(1);
});

function park(server: FakeServer, state: RunState): void {
  if (state.kind !== 'parked') return;
  server.become(state, { kind: 'run.parked', reason: state.reason, needs: state.needs, node: 'review' });
}

function end(server: FakeServer, state: RunState): void {
  server.become(state, { kind: 'run.ended', state });
}

function decisions(server: FakeServer): unknown[] {
  return server.calls
    .filter(({ name }) => name === 'decideRun')
    .map(({ request }) => {
      const { actor: _, ...rest } = request as { actor: string };
      return rest;
    });
}
