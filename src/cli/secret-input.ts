import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { CommandContext } from './context.ts';
import { usageError } from './usage-error.ts';

const HINT = 'Type it when asked, or give it on standard input: `switchyard secret set NAME < file`.';

/**
 * A secret's value: typed at the terminal, which does not show it, else all of standard input less one line's end. Rejects as a mistake in
 * usage where there is none, or typing was given up.
 */
export async function readSecret(context: CommandContext, name: string): Promise<string> {
  const value = isTerminal(context) ? await typed(context, name) : await given(context);
  if (value === undefined) throw usageError('Nothing was stored.', HINT);
  if (value === '') throw usageError('There is no value.', HINT);
  if (value.includes('\0')) throw usageError('The value holds a zero byte, which no variable can.', HINT);
  return value;
}

/** Whoever writes the answer to a file may still type. */
function isTerminal({ stdin }: CommandContext): boolean {
  return 'isTTY' in stdin && stdin.isTTY === true;
}

/** Undefined when it was given up. The terminal is as it was afterwards. */
async function typed(context: CommandContext, name: string): Promise<string | undefined> {
  context.stderr.write(`Value of ${name} (it is not shown): `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const input = createInterface({ input: context.stdin, output: nowhere, terminal: true, historySize: 0 });
  try {
    return await new Promise((resolve) => {
      input.once('line', resolve);
      input.once('SIGINT', () => resolve(undefined));
      input.once('close', () => resolve(undefined));
    });
  } finally {
    input.close();
    context.stdin.pause();
    context.stderr.write('\n');
  }
}

async function given({ stdin }: CommandContext): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(Buffer.concat(chunks))
      .replace(/\r?\n$/, '');
  } catch {
    throw usageError(
      'The value is not text in UTF-8.',
      'Encode it, for instance in base64, and have its reader decode it.',
    );
  }
}
