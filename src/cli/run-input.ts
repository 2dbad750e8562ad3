import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseLimitFlag } from '../domain/limits.ts';
import { messageOf, SwitchyardError } from '../lib/error.ts';
import type { CommandContext } from './context.ts';
import { usageError } from './usage-error.ts';

/** The task's text: as it was written on the command line, from a file, or from standard input. */
export async function readTask(
  context: CommandContext,
  options: { readonly task?: string; readonly file?: string },
): Promise<string> {
  const { task, file } = options;
  if (task !== undefined && file !== undefined)
    throw usageError('The task is given twice: as text and with --file.', 'Leave one of them out.');
  if (file !== undefined) return await readTaskFile(resolve(context.cwd, file), file);
  if (task === '-') return asText(await bytesOf(context), 'standard input');
  if (task !== undefined) return task;
  throw usageError(
    'There is no task.',
    'Write what is asked in quotes: switchyard run "Make the totals round to cents".',
  );
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

async function readTaskFile(path: string, written: string): Promise<string> {
  try {
    return asText(await readFile(path), written);
  } catch (error) {
    if (error instanceof SwitchyardError) throw error;
    throw usageError(
      `Cannot read the task from ${written}: ${messageOf(error)}`,
      'Name a text file that you may read.',
    );
  }
}

async function bytesOf(context: CommandContext): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of context.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

function asText(bytes: Uint8Array, from: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw usageError(`The task from ${from} is not text in UTF-8.`, 'Save it as UTF-8.');
  }
}
