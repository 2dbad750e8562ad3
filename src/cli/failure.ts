import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { platform, release } from 'node:os';
import { join } from 'node:path';
import { EXIT, failureClass } from '../api/failure.ts';
import { messageOf, SwitchyardError } from '../lib/error.ts';
import { resolveHome } from '../lib/home.ts';
import { printable, printableJson } from '../lib/printable.ts';
import type { CommandContext } from './context.ts';
import { version } from './program.ts';
import { paint, styleOf } from './render/style.ts';

/**
 * The one place where an error becomes words and an exit code. What is nobody's mistake but ours gets a report in a file and no stack
 * on the screen.
 */
export async function reportFailure(
  context: CommandContext,
  error: unknown,
  options: { json: boolean; argv: readonly string[] },
): Promise<number> {
  const failure = asFailure(error);
  const exit = EXIT[failureClass(failure.code)];
  const hint = exit === EXIT.bug ? await bugHint(context, error, options.argv) : failure.hint;
  if (options.json) {
    context.stderr.write(`${printableJson({ code: failure.code, message: failure.message, hint })}\n`);
    return exit;
  }
  const style = styleOf(context.stderr, context.env);
  context.stderr.write(`${paint(style, 'red', 'error:')} ${printable(failure.message)}\n`);
  if (hint !== '') context.stderr.write(`${printable(hint).replace(/^/gm, '  ')}\n`);
  return exit;
}

function asFailure(error: unknown): { code: string; message: string; hint: string } {
  if (error instanceof SwitchyardError) return error;
  if (isLost(error)) {
    return {
      code: 'daemon/unavailable',
      message: 'The Switchyard server went away in the middle of an answer.',
      hint: 'Try again; look into daemon.log in SWITCHYARD_HOME if it stays away.',
    };
  }
  return { code: 'internal/bug', message: `This is a bug in Switchyard: ${messageOf(error)}`, hint: '' };
}

/** Whether the server could not be reached, is stopping, or went away while it answered. */
export function isLost(error: unknown): boolean {
  if (error instanceof SwitchyardError) return error.code === 'daemon/unavailable' || error.code === 'daemon/stopping';
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

async function bugHint(context: CommandContext, error: unknown, argv: readonly string[]): Promise<string> {
  // It happened in another process, which has kept what is known of it and says where.
  if (error instanceof SwitchyardError && error.hint !== '') return error.hint;
  try {
    return `A report is in ${await writeReport(context, error, argv)}`;
  } catch (failed) {
    return `A report could not be written (${messageOf(failed)}):\n${stackOf(error)}`;
  }
}

/** Everything that helps to find the bug; of the arguments only the command's words and options, not their values. */
async function writeReport(context: CommandContext, error: unknown, argv: readonly string[]): Promise<string> {
  const folder = join(resolveHome(context.env).folder, 'reports');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const at = new Date(context.clock.now()).toISOString();
  const path = join(folder, `${at.replace(/[:.]/g, '-')}-${randomBytes(3).toString('hex')}.txt`);
  const command = argv.filter((word, index) => index === 0 || word.startsWith('-')).map((word) => word.split('=')[0]);
  const facts = [
    `at: ${at}`,
    `version: ${version()}`,
    `node: ${process.version}`,
    `system: ${platform()} ${release()}`,
    `command: ${command.join(' ')}`,
  ];
  await writeFile(path, `${facts.join('\n')}\n\n${stackOf(error)}\n`, { mode: 0o600 });
  return path;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  const code = error instanceof SwitchyardError ? `code: ${error.code}\nhint: ${error.hint}\n` : '';
  return error.cause === undefined ? code + own : `${code}${own}\ncaused by: ${stackOf(error.cause)}`;
}
