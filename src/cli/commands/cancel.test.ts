import { expect, test } from 'vitest';
import { testContext } from '../fixture/context.ts';
import { FakeServer } from '../fixture/server.ts';
import { DONE } from '../fixture/states.ts';
import { execute } from '../main.ts';

test('cancel, restore and why answer with what the server says', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.cancelRun = () => ({ schema: 1, run: 'x', state: { kind: 'cancelled' }, working: false });
  server.handlers.restoreRun = () => ({ schema: 1, run: 'x', state: DONE, working: false });
  server.handlers.whyRun = () => ({
    schema: 1,
    run: 'x',
    state: { kind: 'queued' },
    lines: ['It is running.', '3 of 4 places are taken.'],
  });
  for (const command of ['cancel', 'restore', 'why']) expect(await execute(context, [command, 'x'])).toBe(0);
  expect(context.out()).toContain(
    '■ cancelled\n✓ succeeded\nRound the totals\n▸ running\n  3 of 4 places are taken.\n\nswitchyard',
  );
});
