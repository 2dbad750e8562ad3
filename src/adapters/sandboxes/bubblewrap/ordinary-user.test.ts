import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startProcess } from '../../../lib/exec/start.ts';

// Walls are made differently for root and for an ordinary user. Whoever runs the tests covers one of the two; root can cover both.
const root = fileURLToPath(new URL('../../../..', import.meta.url));
const NOBODY = 65534;

test('the contract and the kernel’s answers hold for an ordinary user too', { timeout: 240_000 }, async (context) => {
  if (process.geteuid?.() !== 0) context.skip('an ordinary user runs these tests: the others have covered it');
  if ((await asNobody(['test', '-r', join(root, 'package.json')])).code !== 0)
    context.skip('nobody may read this folder');
  const files = ['bubblewrap-sandbox.test.ts', 'kernel.test.ts', 'bridge', 'toolchains.test.ts'];
  const vitest = ['--configLoader=runner', 'run', ...files.map((file) => `src/adapters/sandboxes/bubblewrap/${file}`)];
  const result = await asNobody([process.execPath, join(root, 'node_modules/vitest/vitest.mjs'), ...vitest]);
  expect(result).toEqual({ code: 0, output: expect.stringContaining('passed') });
});

async function asNobody(argv: readonly string[]): Promise<{ code: number | null; output: string }> {
  const home = await mkdtemp(join(tmpdir(), 'switchyard-nobody-'));
  await chown(home, NOBODY, NOBODY);
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, NO_COLOR: '1' };
  const child = await startProcess({
    file: '/usr/bin/setpriv',
    args: [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--', ...argv],
    cwd: root,
    env,
  });
  const [stdout, stderr, { code }] = await Promise.all([text(child.stdout), text(child.stderr), child.ended]);
  await rm(home, { recursive: true });
  return { code, output: stdout + stderr };
}
