import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { whichOn } from '../lib/exec/which.ts';
import { shellWord } from '../lib/shell-word.ts';
import { interactiveShell } from './interactive-shell.ts';

const which = whichOn(process.env['PATH']);
const dash = await which('dash');
const isMissing = dash === undefined || (await which('script')) === undefined || (await which('unshare')) === undefined;
const shell = dash ?? '/bin/sh';

/** What a terminal shows in which somebody types these lines into a program that has process numbers of its own. */
async function typedInto(argv: readonly string[], lines: readonly string[]): Promise<string> {
  const walled = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--mount-proc', '--', ...argv];
  const terminal = spawn('script', ['-qec', walled.map(shellWord).join(' '), '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 20_000,
  });
  terminal.stdin.write(lines.map((line) => `${line}\n`).join(''));
  return text(terminal.stdout);
}

const LINES = ['sleep 0.01 &', 'wait; echo said-"$(tty)"', 'exit'];

test.skipIf(isMissing)(
  'a shell with process numbers of its own has a terminal and jobs, and ends without a complaint',
  async () => {
    const shown = await typedInto(interactiveShell(shell), LINES);
    expect(shown).toContain('said-/dev/');
    expect(shown).toContain('Done');
    expect(shown).not.toMatch(/tty process group|job control/);
  },
);

test.skipIf(isMissing)('started as it is, it complains there', async () => {
  expect(await typedInto([shell], LINES)).toContain('Cannot set tty process group');
});

test('other shells are started as they are', () => {
  expect(interactiveShell('/usr/bin/fish')).toEqual(['/usr/bin/fish']);
});
