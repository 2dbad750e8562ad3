import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startProcess } from '../lib/exec/start.ts';
import { tempFolder } from './temp-repository.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const NOBODY = 65534;

/**
 * That tests of walls hold for an ordinary user too. Walls are made differently for root and for an ordinary user; whoever runs the tests
 * covers one of the two, and root can cover both. `tests` are files and folders of tests, from the project's own folder.
 */
export function ordinaryUserContract(tests: readonly string[], { timeoutMs }: { readonly timeoutMs: number }): void {
  test('the same holds for an ordinary user', { timeout: timeoutMs }, async (context) => {
    if (process.geteuid?.() !== 0) context.skip('an ordinary user runs these tests: the others have covered it');
    if ((await asNobody(['test', '-r', join(root, 'package.json')])).code !== 0)
      context.skip('nobody may read this folder');
    const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), '--configLoader=runner', 'run'];
    const result = await asNobody([process.execPath, ...vitest, ...tests]);
    expect(result).toEqual({ code: 0, output: expect.stringContaining('passed') });
  });
}

async function asNobody(argv: readonly string[]): Promise<{ code: number | null; output: string }> {
  await using home = await tempFolder('switchyard-nobody');
  await chown(home.path, NOBODY, NOBODY);
  const env = { PATH: process.env['PATH'] ?? '', HOME: home.path, NO_COLOR: '1' };
  const child = await startProcess({
    file: '/usr/bin/setpriv',
    args: [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--', ...argv],
    cwd: root,
    env,
  });
  const [stdout, stderr, { code }] = await Promise.all([text(child.stdout), text(child.stderr), child.ended]);
  return { code, output: stdout + stderr };
}
