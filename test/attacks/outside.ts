import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs a Perl program outside of all walls, as the person's own; returns what it said. */
export async function perlOutside(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('/usr/bin/perl', ['-e', program, '--', ...args], { timeout: 20_000 });
  return stdout.trim();
}

/** Perl within a shell script: it calls the kernel by number. Programs have no single quotes in them. */
export function perl(program: string, ...args: string[]): string {
  return `perl -e '${program.replaceAll('\n', ' ')}' -- ${args.map((arg) => `'${arg}'`).join(' ')}`;
}
