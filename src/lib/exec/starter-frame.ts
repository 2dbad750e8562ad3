import type { ProgramToBegin } from './begun-process.ts';
import type { HandedFile } from './handed-file.ts';

/** Whether a starter starts it just as Node would: no text holds what ends one, each variable has a name. */
export function isFramable({ file, args, cwd, env, files = [] }: ProgramToBegin): boolean {
  const variables = Object.entries(env);
  const texts = [
    file,
    cwd,
    ...args,
    ...variables.flat(),
    ...files.flatMap((handed) => ('path' in handed ? handed.path : [])),
  ];
  return (
    file !== '' &&
    texts.every((text) => typeof text === 'string' && !text.includes('\0')) &&
    variables.every(([name]) => name !== '' && !name.includes('='))
  );
}

/** What a starter is asked with; `STARTER_PROGRAM` says how it is read. */
export function frameOf(
  id: number,
  { file, args, cwd, env, files = [], openFiles, ...channels }: ProgramToBegin,
): Buffer {
  const variables = Object.entries(env);
  const numbers = [
    id,
    Number(channels.statusPipe ?? false),
    Number(channels.gate ?? false),
    args.length,
    variables.length,
    files.length,
    openFiles?.soft ?? 0,
    openFiles?.hard ?? 0,
  ];
  const texts = [file, cwd, ...args, ...variables.flat(), ...files.map(wordOf)];
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const length = 4 * (numbers.length + texts.length) + lengths.reduce((sum, one) => sum + one, 0);
  const frame = Buffer.allocUnsafe(4 + length);
  let at = frame.writeUInt32BE(length);
  for (const number of numbers) at = frame.writeUInt32BE(number, at);
  for (const [n, text] of texts.entries()) {
    at = frame.writeUInt32BE(lengths[n] ?? 0, at);
    at += frame.write(text, at);
  }
  return frame;
}

function wordOf(handed: HandedFile): string {
  return 'path' in handed ? `p${handed.path}` : `c${handed.content}`;
}
