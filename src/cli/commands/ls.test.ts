import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SwitchyardError } from '../../lib/error.ts';
import { testContext } from '../fixture/context.ts';
import { FakeServer, someRun } from '../fixture/server.ts';
import { execute } from '../main.ts';

const NOT_GIT = new SwitchyardError({ code: 'repository/not-git', message: 'No repository.', hint: '' });

test('ls lists the runs of the repository that one stands in', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.listRuns = () => [server.run];
  expect(await execute(context, ['ls'])).toBe(0);
  expect(context.out()).toContain('round-the-totals-k7mz');
  expect(server.calls[0]?.request).toEqual({ repository: context.home });
});

test('ls outside of a repository lists those of all', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.listRuns = ({ repository }) => {
    if (repository !== undefined) throw NOT_GIT;
    return [server.run];
  };
  expect(await execute(context, ['ls', '--json'])).toBe(0);
  expect(JSON.parse(context.out())).toMatchObject([{ id: 'k7mzq2xw9fhd' }]);
});

test('ls leaves out what was put away, says so, and has it with --all; programs get all of it', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.listRuns = () => [server.run, someRun({ slug: 'away', state: { kind: 'discarded' } })];
  expect(await execute(context, ['ls'])).toBe(0);
  expect(context.out()).toContain('1 discarded run left out; --all lists them.');
  expect(context.out()).not.toContain('away');
  expect(await execute(context, ['ls', '--all'])).toBe(0);
  expect(context.out()).toContain('away');
  expect(await execute(context, ['ls', '--json'])).toBe(0);
  expect(JSON.parse(context.out().trimEnd().split('\n').at(-1) ?? '')).toHaveLength(2);
});

test('ls --repository lists the runs of another repository', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.listRuns = () => [];
  expect(await execute(context, ['ls', '--repository', 'shop'])).toBe(0);
  expect(server.calls.at(-1)?.request).toEqual({ repository: join(context.home, 'shop') });
});

test('ls says so when there is nothing', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.listRuns = () => [];
  expect(await execute(context, ['ls', '--all'])).toBe(0);
  expect(context.out()).toContain('There are no runs yet.');
});
