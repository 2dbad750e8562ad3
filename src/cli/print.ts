import { printableJson } from '../lib/printable.ts';
import type { CommandContext } from './context.ts';
import { type Style, styleOf } from './render/style.ts';

/** How a command's result is said: as one line of JSON, or drawn for a person. Resolves to the exit code of a command that succeeded. */
export function print<T>(
  context: CommandContext,
  options: { readonly json?: boolean },
  value: T,
  draw: (value: T, style: Style) => readonly string[],
): number {
  const lines = options.json === true ? [printableJson(value)] : draw(value, styleOf(context.stdout, context.env));
  context.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return 0;
}
