import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Opened } from '../../api/schemas/open.ts';
import { isThere } from '../../lib/is-there.ts';
import { testContext } from '../fixture/context.ts';
import { FakeServer } from '../fixture/server.ts';
import { execute } from '../main.ts';

const BACK = { schema: 1, run: 'r', state: { kind: 'running' }, head: 'c'.repeat(40), working: true } as const;

test.each([
  [true, 0],
  [false, 1],
])('where the run is still theirs: %s, a program begins or does not', async (known, code) => {
  await using context = await testContext();
  const mark = join(context.home, 'begun');
  const opened: Opened = {
    schema: 1,
    run: 'r',
    slug: 'fix-it',
    opening: 'o1',
    tool: 'command',
    folder: context.home,
    program: { argv: ['/bin/sh', '-c', `: > '${mark}'`], env: {}, reports: false },
    notes: [],
  };
  await using server = await new FakeServer(context.socket, {
    openRun: () => opened,
    openStarted: () => ({ schema: 1, known }),
    handBackRun: () => ({ ...BACK, changed: [], commits: 0, notes: [] }),
  }).listen();
  expect(await execute(context, ['open', 'r', '--', 'anything'])).toBe(code);
  expect(await isThere(mark)).toBe(known);
  expect(server.calls.map(({ name }) => name)).toEqual(['openRun', 'openStarted', 'handBackRun']);
  expect(server.calls[1]?.request).toMatchObject({ opening: 'o1', report: '' });
  if (!known) expect(context.err()).toContain('taken back before the program could begin');
});
