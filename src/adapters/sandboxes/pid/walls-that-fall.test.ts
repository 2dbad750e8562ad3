import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { whichOn } from '../../../lib/exec/which.ts';
import { run, script } from '../../../testing/sandbox-contract/program.ts';
import { tempFolder } from '../../../testing/temp-repository.ts';
import { bubblewrapWalls } from './bubblewrap.ts';
import { probeBubblewrap } from './index.ts';
import { type Launcher, pidSandbox } from './pid-sandbox.ts';

// bubblewrap gives up where something that is mounted on the host is moved while it makes its walls. Here it gives up as often as the test
// wants, at the same point: it has reported already.
const which = whichOn(process.env['PATH']);
const probed = await probeBubblewrap(which);
const walls = bubblewrapWalls((await which('bwrap')) ?? 'bwrap');

/** Walls that fall so many times before they stand; each trial leaves a line in the file. */
function fallingWalls(times: number, file: string): Launcher {
  return {
    ...walls,
    launch(argv) {
      const { file: bwrap, args } = walls.launch(argv);
      const fall = `[ "$(wc -l < "$0")" -gt ${times} ] || set -- --bind /no/such /mnt "$@"`;
      const trial = `echo trial >> "$0"; bwrap=$1; shift; ${fall}; exec "$bwrap" "$@"`;
      return { file: '/bin/sh', args: ['-c', trial, file, bwrap, ...args] };
    },
  };
}

describe.skipIf('missing' in probed)('walls of level pid that fall while they are made', () => {
  test('are made again, and the program gets its input', async () => {
    await using folder = await tempFolder();
    const trials = join(folder.path, 'trials');
    const result = await run(pidSandbox(fallingWalls(2, trials)), script('cat; exit 3', { input: 'given' }));
    expect(result).toEqual({ code: 3, signal: null, stdout: 'given', stderr: '' });
    expect(await linesIn(trials)).toBe(3);
  });

  test('that never stand tell what the launcher said', async () => {
    await using folder = await tempFolder();
    const result = await run(pidSandbox(fallingWalls(1000, join(folder.path, 'trials'))), script('echo never'));
    expect(result).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('/no/such') });
  });

  test('a program that fails at once is not started again', async () => {
    await using folder = await tempFolder();
    const file = join(folder.path, 'starts');
    const sandbox = pidSandbox(walls);
    for (let n = 0; n < 20; n += 1) expect((await run(sandbox, script(`echo start >> ${file}; exit 1`))).code).toBe(1);
    expect(await linesIn(file)).toBe(20);
  });
});

async function linesIn(file: string): Promise<number> {
  return (await readFile(file, 'utf8')).trim().split('\n').length;
}
