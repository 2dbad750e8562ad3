import { expect, test } from 'vitest';
import { testContext } from '../fixture/context.ts';
import { FakeServer } from '../fixture/server.ts';
import { execute } from '../main.ts';

test('init shows what it wrote', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.initRepository = ({ dryRun }) => ({
    schema: 1,
    file: '.switchyard/config.yaml',
    text: 'checks: {}\n',
    written: !dryRun,
    notes: ['no checks were found'],
  });
  expect(await execute(context, ['init', '--dry-run'])).toBe(0);
  expect(context.out()).toBe('would write .switchyard/config.yaml\n\n    checks: {}\n\ni no checks were found\n');
});
