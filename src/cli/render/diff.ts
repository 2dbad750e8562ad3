import { printable } from '../../lib/printable.ts';
import { paint, type Style } from './style.ts';

/** A patch for the eye: control characters out, added and removed lines coloured. For programs, write the patch itself. */
export function patchLines(patch: string, style: Style): string[] {
  return linesOf(patch).map((line) => {
    if (/^(?:diff |index |--- |\+\+\+ |similarity |rename |new file |deleted file |old mode |new mode )/.test(line))
      return paint(style, 'bold', line);
    if (line.startsWith('@@')) return paint(style, 'cyan', line);
    if (line.startsWith('+')) return paint(style, 'green', line);
    return line.startsWith('-') ? paint(style, 'red', line) : line;
  });
}

export function statLines(stat: string, style: Style): string[] {
  const lines = linesOf(stat);
  if (lines.length === 0) return [paint(style, 'dim', 'nothing was changed')];
  return lines.map((line) => {
    const [, file, added, removed] = /^(.* )(\+\d+) (-\d+)$/.exec(line) ?? [];
    return file === undefined
      ? line
      : `${file}${paint(style, 'green', added ?? '')} ${paint(style, 'red', removed ?? '')}`;
  });
}

function linesOf(text: string): string[] {
  const trimmed = printable(text).replace(/\n+$/, '');
  return trimmed === '' ? [] : trimmed.split('\n');
}
