import { expect, test } from 'vitest';
import { waitUntil } from '../../lib/wait-until.ts';
import { testContext } from '../fixture/context.ts';
import { FakeServer, someRun } from '../fixture/server.ts';
import { DONE, end } from '../fixture/states.ts';
import { execute } from '../main.ts';

const MERGED = { commit: 'd'.repeat(40), tree: 'e'.repeat(40) };

test('merge waits for what becomes of it, and shows only what is new', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.append({ kind: 'message', level: 'info', text: 'old news' });
  server.run = someRun({ state: DONE });
  server.handlers.mergeRun = () => {
    server.become({ kind: 'running' });
    return { schema: 1, run: server.run.id, state: server.run.state, working: true };
  };
  const ending = execute(context, ['merge', 'x', '--to', 'release', '--push']);
  await waitUntil(() => server.run.state.kind === 'running', { timeoutMs: 5000 });
  server.append({ kind: 'run.merged', target: 'release', ...MERGED });
  server.run = { ...server.run, merged: MERGED };
  end(server, DONE);
  expect(await ending).toBe(0);
  expect(server.calls.find(({ name }) => name === 'mergeRun')?.request).toMatchObject({ to: 'release', push: true });
  expect(context.out()).toContain('✓ merged into release: dddddddddd');
  expect(context.out()).not.toContain('old news');
});

test('merge of what is merged already says so and ends well', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.mergeRun = () => ({
    schema: 1,
    run: server.run.id,
    state: DONE,
    working: false,
    note: 'It is merged already.',
  });
  expect(await execute(context, ['merge', 'x'])).toBe(0);
  expect(context.out()).toContain('It is merged already.');
});

test('a merge that has to wait for a person ends with 3', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  const reason = { code: 'merge/checkout-dirty', message: 'The checkout has changes.' };
  const needs = { kind: 'checkout', choices: ['retry', 'abandoned'], head: null, files: ['a.js'] } as const;
  server.handlers.mergeRun = () => {
    server.become(
      { kind: 'parked', reason, needs: { ...needs, choices: [...needs.choices], files: [...needs.files] } },
      {
        kind: 'run.parked',
        reason,
        needs: { ...needs, choices: [...needs.choices], files: [...needs.files] },
        node: null,
      },
    );
    return { schema: 1, run: server.run.id, state: { kind: 'running' }, working: true };
  };
  expect(await execute(context, ['merge', 'x'])).toBe(3);
  expect(context.out()).toContain('    a.js');
});
