import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { linesOf } from '../../lib/exec/lines.ts';
import type { Exit, Sandbox, SandboxedProcess, SandboxProgram } from '../../ports/sandbox.ts';

/** What the cases use of the host: a PATH that has the usual tools, and a folder that everybody may enter. */
export const PATH = process.env['PATH'] ?? '/usr/bin:/bin';
export const FOLDER = tmpdir();

/** A shell script as a program for a sandbox. */
export function script(code: string, more: Partial<SandboxProgram> = {}): SandboxProgram {
  return { argv: ['sh', '-c', code], cwd: FOLDER, env: { PATH }, ...more };
}

/** Runs a program to its end. */
export async function run(
  sandbox: Sandbox,
  program: SandboxProgram,
): Promise<Exit & { stdout: string; stderr: string }> {
  await using running = await sandbox.spawn(program);
  const [stdout, stderr, exit] = await Promise.all([text(running.stdout), text(running.stderr), running.exited]);
  return { ...exit, stdout, stderr };
}

/** The lines of a program that goes on, one at a time. */
export function reader(running: SandboxedProcess): () => Promise<string | undefined> {
  const lines = linesOf(running.stdout);
  return async () => {
    const next = await lines.next();
    return next.done === true ? undefined : next.value.text;
  };
}
