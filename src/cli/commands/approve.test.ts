import { expect, test } from 'vitest';
import { SwitchyardError } from '../../lib/error.ts';
import { testContext } from '../fixture/context.ts';
import { FakeServer, someRun } from '../fixture/server.ts';
import { DONE } from '../fixture/states.ts';
import { execute } from '../main.ts';

test('approve passes on what was said and prints the state that follows', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.decideRun = () => ({
    schema: 1,
    run: 'k7mzq2xw9fhd',
    state: { kind: 'running' },
    working: true,
    note: 'It goes on.',
  });
  expect(await execute(context, ['approve', 'x', '--choice', 'changes', '--note', 'use cents', '--head', 'abc'])).toBe(
    0,
  );
  expect(server.calls[0]?.request).toMatchObject({ choice: 'changes', note: 'use cents', head: 'abc' });
  expect(context.out()).toBe('▸ running\nIt goes on.\n    switchyard logs -f x  follow it\n');
});

test('approve that was the last answer wanted says what can be done with the result', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.run = someRun({ state: DONE, branch: 'switchyard/round-the-totals-k7mz' });
  server.handlers.decideRun = () => ({ schema: 1, run: server.run.id, state: DONE, working: false });
  expect(await execute(context, ['approve', 'x'])).toBe(0);
  expect(context.out()).toContain('✓ succeeded\n');
  expect(context.out()).toContain('switchyard merge round-the-totals-k7mz');
});

test('approve where that is not offered ends with 2, where the head has moved with 1', async () => {
  for (const [code, exit] of [
    ['decision/choice', 2],
    ['decision/head-moved', 1],
  ] as const) {
    await using context = await testContext();
    await using server = await new FakeServer(context.socket).listen();
    server.handlers.decideRun = () => {
      throw new SwitchyardError({ code, message: 'No.', hint: '' });
    };
    expect(await execute(context, ['approve', 'x'])).toBe(exit);
  }
});
