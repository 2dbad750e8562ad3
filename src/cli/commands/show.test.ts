import { expect, test } from 'vitest';
import { SwitchyardError } from '../../lib/error.ts';
import { testContext } from '../fixture/context.ts';
import { FakeServer } from '../fixture/server.ts';
import { execute } from '../main.ts';

test('show --json is what the server says', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  expect(await execute(context, ['show', '@last', '--json'])).toBe(0);
  expect(JSON.parse(context.out())).toEqual(server.run);
  expect(server.calls[0]?.path).toEqual({ run: '@last' });
});

test('a run that is not there ends with 5', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.showRun = () => {
    throw new SwitchyardError({
      code: 'run/not-found',
      message: 'There is no run "x".',
      hint: 'See `switchyard ls --all`.',
    });
  };
  expect(await execute(context, ['show', 'x'])).toBe(5);
  expect(context.err()).toBe('error: There is no run "x".\n  See `switchyard ls --all`.\n');
});
