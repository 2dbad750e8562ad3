import { expect, test } from 'vitest';
import { testContext } from '../fixture/context.ts';
import { FakeServer } from '../fixture/server.ts';
import { execute } from '../main.ts';

test('diff writes the patch byte for byte into a pipe, and what is safe to look at on a terminal', async () => {
  const patch = 'diff --git a/a b/a\n+\u001b[31m\r\n';
  for (const [terminal, expected] of [
    [false, patch],
    [true, 'diff --git a/a b/a\n+\n'],
  ] as const) {
    await using context = await testContext({ terminal });
    await using server = await new FakeServer(context.socket).listen();
    server.handlers.diffRun = () => ({ schema: 1, base: 'b', head: 'c', stat: ' a | 1 +\n', patch });
    expect(await execute(context, ['diff', 'x'])).toBe(0);
    expect(context.out()).toBe(expected);
  }
});

test('diff --stat shows the files', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.diffRun = () => ({ schema: 1, base: 'b', head: 'c', stat: ' a | 1 +\n', patch: 'x' });
  expect(await execute(context, ['diff', 'x', '--stat'])).toBe(0);
  expect(context.out()).toBe(' a | 1 +\n');
});
