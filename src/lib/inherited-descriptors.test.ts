import { spawn } from 'node:child_process';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { tempFolder } from '../testing/temp-repository.ts';

const SUBJECT = new URL('./inherited-descriptors.ts', import.meta.url).href;

/** What a program can read that is started by a process which was itself started with the secret open. */
async function readBelow(statement: string): Promise<string> {
  await using folder = await tempFolder();
  await writeFile(join(folder.path, 'secret'), 'SECRET');
  await using secret = await open(join(folder.path, 'secret'));
  const program = `
    import { execFileSync } from 'node:child_process';
    import { openSync } from 'node:fs';
    import { closeInherited } from ${JSON.stringify(SUBJECT)};
    const own = openSync(${JSON.stringify(join(folder.path, 'secret'))});
    ${statement}
    process.stdout.write(execFileSync('/bin/sh', ['-c', 'cat /proc/self/fd/30 || echo none'], { stdio: ['ignore', 'pipe', 'ignore'] }));
    process.stdout.write(execFileSync('/bin/cat', { stdio: [own, 'pipe', 'ignore'] }));`;
  const between = Array.from({ length: 27 }, () => 'ignore' as const);
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit', ...between, secret.fd],
  });
  return await text(child.stdout as NonNullable<typeof child.stdout>);
}

test.skipIf(process.platform !== 'linux')(
  'a program that is started later has nothing that this process was handed, and gets what it is given',
  async () => {
    expect(await readBelow('closeInherited();')).toBe('none\nSECRET');
  },
);

test.skipIf(process.platform !== 'linux')('without closing it has it', async () => {
  expect(await readBelow('')).toBe('SECRETSECRET');
});
