import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { testContext } from './fixture/context.ts';
import { screenOf } from './fixture/screen.ts';
import { FakeServer } from './fixture/server.ts';
import { DONE, end } from './fixture/states.ts';
import { execute } from './main.ts';

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
