import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Labels, MOST_PRIORITY } from '../api/schemas/start-run.ts';
import { parseLimitFlag } from '../domain/limits.ts';
import { SandboxLevel } from '../domain/sandbox.ts';
import { messageOf, SwitchyardError } from '../lib/error.ts';
import type { CommandContext } from './context.ts';
import { usageError } from './usage-error.ts';

/** The task's text: as it was written on the command line, from a file, or from standard input. */
export async function readTask(
  context: CommandContext,
  { task, file }: { readonly task?: string; readonly file?: string },
): Promise<string> {
  const hint = 'Write what is asked in quotes: switchyard run "Make the totals round to cents".';
  return readText(context, { what: 'task', hint, text: task, file });
}

/** Something to be said, from wherever the person has it. */
export async function readText(
  context: CommandContext,
  asked: { what: string; hint: string; text?: string | undefined; file?: string | undefined },
): Promise<string> {
  const { what, text, file } = asked;
  if (text !== undefined && file !== undefined)
    throw usageError(`The ${what} is given twice: as text and with --file.`, 'Leave one of them out.');
  if (file !== undefined) return await readTextFile(resolve(context.cwd, file), { what, written: file });
  if (text === '-') return asText(await bytesOf(context), { what, from: 'standard input' });
  if (text !== undefined) return text;
  throw usageError(`There is no ${what}.`, asked.hint);
}

/** `["wall=30m"]` as `{ wall: "30m" }`; each is checked here, so that a slip costs no round trip. */
export function readLimits(flags: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    flags.map((flag) => {
      const read = parseLimitFlag(flag);
      if (!read.ok)
        throw new SwitchyardError({
          code: 'limit/invalid',
          message: `--limit ${flag}: ${read.message}`,
          hint: 'For instance: --limit wall=30m --limit cost="2 USD"',
        });
      const [name = '', ...rest] = flag.split('=');
      return [name, rest.join('=')];
    }),
  );
}

/** A level that a later version may have is left to the server, which says what this machine can do. */
export function readSandbox(level: string | undefined): SandboxLevel | undefined {
  if (level === undefined) return undefined;
  const read = SandboxLevel.safeParse(level);
  if (read.success) return read.data;
  throw usageError(
    `There is no sandbox level ${JSON.stringify(level)}.`,
    `There are: ${SandboxLevel.options.join(', ')}.`,
  );
}

/** Each once. */
export function readLabels(written: readonly string[]): string[] {
  const read = Labels.safeParse(written);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  const wrong = written[Number(issue?.path[0])];
  throw usageError(
    `--label${wrong === undefined ? '' : ` ${JSON.stringify(wrong)}`}: ${issue?.message ?? 'not understood'}.`,
    'Give each with a --label of its own: --label bug --label totals.',
  );
}

export function readPriority(written = '0'): number {
  const priority = /^[+-]?\d{1,3}$/.test(written) ? Number(written) : Infinity;
  if (Math.abs(priority) <= MOST_PRIORITY) return priority;
  throw usageError(
    `${JSON.stringify(written)} is no priority.`,
    `Write a whole number from -${MOST_PRIORITY} to ${MOST_PRIORITY}.`,
  );
}

async function readTextFile(path: string, { what, written }: { what: string; written: string }): Promise<string> {
  try {
    return asText(await readFile(path), { what, from: written });
  } catch (error) {
    if (error instanceof SwitchyardError) throw error;
    throw usageError(
      `Cannot read the ${what} from ${written}: ${messageOf(error)}`,
      'Name a text file that you may read.',
    );
  }
}

async function bytesOf(context: CommandContext): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of context.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

function asText(bytes: Uint8Array, { what, from }: { what: string; from: string }): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw usageError(`The ${what} from ${from} is not text in UTF-8.`, 'Save it as UTF-8.');
  }
}
