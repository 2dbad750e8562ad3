import { expect, test } from 'vitest';
import { testContext } from '../fixture/context.ts';
import { FakeServer, someRun } from '../fixture/server.ts';
import { APPROVAL, DONE, end, park, QUOTA } from '../fixture/states.ts';
import { execute } from '../main.ts';

test('logs shows a journal, follows it until the run waits, or gives it as JSON', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.append({ kind: 'agent.text', node: 'a', n: 1, text: 'first\nsecond' });
  expect(await execute(context, ['logs', 'x'])).toBe(0);
  expect(context.out()).toMatch(/first\n.*second\n$/);
  const following = execute(context, ['logs', '-f', 'x', '--json']);
  await context.shows('"seq":1');
  end(server, DONE);
  expect(await following).toBe(0);
  expect(context.out()).toContain('"kind":"run.ended"');
});

test.each([
  ['elsewhere', false],
  ['on a terminal', true],
])('logs -f %s goes on where a run waits for a moment, and ends where it waits for a person', async (_, terminal) => {
  await using context = await testContext({ terminal });
  await using server = await new FakeServer(context.socket).listen();
  park(server, QUOTA);
  const following = execute(context, ['logs', '-f', 'x']);
  await context.shows('waits until');
  server.become({ kind: 'running' }, { kind: 'run.resumed', choice: 'retry', head: null });
  server.append({ kind: 'message', level: 'info', text: 'It works again.' });
  await context.shows('It works again.');
  park(server, APPROVAL);
  expect(await following).toBe(0);
  expect(context.out()).toContain('waits for a person');
});

test('logs of a run that is over ends in what became of it; quiet it is nothing else', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.append({ kind: 'agent.text', node: 'a', n: 1, text: 'said' });
  server.append({ kind: 'step.ended', node: 'a', n: 1, outcome: 'done', checkpoint: null });
  end(server, DONE);
  expect(await execute(context, ['logs', 'x', '--quiet'])).toBe(0);
  expect(context.out()).toMatch(/^✓ succeeded/);
  expect(await execute(context, ['logs', 'x'])).toBe(0);
  expect(context.out()).toMatch(/said\n[\s\S]*\n✓ succeeded/);
});

test('logs -f on a terminal shows what run shows, with everything if asked; Ctrl-C leaves at once', async () => {
  for (const more of [[], ['-v']]) {
    await using context = await testContext({ terminal: true });
    await using server = await new FakeServer(context.socket).listen();
    server.append({ kind: 'step.started', node: 'a', n: 1, nodeKind: 'agent' });
    const tool = { kind: 'agent.tool', node: 'a', n: 1, call: '1', name: 'shell' } as const;
    server.append({ ...tool, phase: 'ended', output: 'the whole output', ok: true });
    const following = execute(context, ['logs', '-f', 'x', ...more]);
    await context.shows('Ctrl-C: leave');
    context.interrupt();
    expect(await following).toBe(130);
    expect(context.out().includes('the whole output')).toBe(more.length > 0);
    expect(context.out()).not.toContain('[d]etach');
  }
});

test('logs of a step that is not there names those that are, and ends with 5', async () => {
  const step = { n: 1, kind: 'agent', state: 'ended', outcome: 'done', attempts: 1, startedAt: null, endedAt: null };
  for (const follow of [[], ['-f']]) {
    await using context = await testContext();
    await using server = await new FakeServer(context.socket).listen();
    server.run = someRun({ steps: [{ ...step, node: 'implement', checkpoint: null }] });
    server.append({ kind: 'agent.text', node: 'implement', n: 1, text: 'hello' });
    end(server, DONE);
    expect(await execute(context, ['logs', 'x', '--step', 'nope#1', ...follow])).toBe(5);
    expect(context.err()).toContain('has no step "nope#1"');
    expect(context.err()).toContain('It has: implement#1.');
    expect(context.out()).toBe('');
  }
});

test('logs -f of one step leaves the others out, and still ends when the run does', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  for (const [node, n] of [
    ['a', 1],
    ['b', 1],
    ['b', 2],
  ] as const)
    server.append({ kind: 'agent.text', node, n, text: `${node}${n}` });
  end(server, DONE);
  expect(await execute(context, ['logs', '-f', 'x', '--step', 'b#2'])).toBe(0);
  expect(context.out()).toMatch(/^\S+ +b2\n$/);
});
