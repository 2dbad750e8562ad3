import { expect, test } from 'vitest';
import { testContext } from '../fixture/context.ts';
import { FakeServer, someRun } from '../fixture/server.ts';
import { DONE } from '../fixture/states.ts';
import { execute } from '../main.ts';

test('discard asks on a terminal, and leaves everything as it is unless the answer is yes', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.run = someRun({ state: DONE });
  server.handlers.discardRun = () => ({ schema: 1, run: server.run.id, state: { kind: 'discarded' }, working: false });
  const first = execute(context, ['discard', 'x']);
  await context.shows('Discard it? [y/N] ');
  context.type('');
  expect(await first).toBe(0);
  expect(server.calls.map(({ name }) => name)).toEqual(['showRun']);
  const second = execute(context, ['discard', 'x']);
  await context.shows('Discard it? [y/N] ');
  context.type('y');
  expect(await second).toBe(0);
  expect(server.calls.at(-1)).toMatchObject({ name: 'discardRun', path: { run: 'k7mzq2xw9fhd' } });
});

test('discard --yes does not ask, --dry-run does nothing', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.run = someRun({ state: DONE });
  server.handlers.discardRun = () => ({ schema: 1, run: server.run.id, state: { kind: 'discarded' }, working: false });
  expect(await execute(context, ['discard', 'x', '--dry-run'])).toBe(0);
  expect(context.out()).toContain('Nothing was done');
  expect(server.calls.map(({ name }) => name)).toEqual(['showRun']);
  expect(await execute(context, ['discard', 'x', '--yes'])).toBe(0);
  expect(server.calls.at(-1)?.name).toBe('discardRun');
});

test('discard says of a run at work, and of one in the trash, what is so, before it asks', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  expect(await execute(context, ['discard', 'x', '--dry-run'])).toBe(1);
  expect(context.err()).toContain('switchyard cancel round-the-totals-k7mz');
  server.run = someRun({ state: { kind: 'discarded' } });
  expect(await execute(context, ['discard', 'x', '--dry-run'])).toBe(0);
  expect(context.out()).toContain('It is in the trash already.');
  expect(context.out()).not.toContain('goes to the trash');
});
