import type { Clock } from '../../lib/clock.ts';
import type { Output } from '../context.ts';
import { columnsOf, paint, type Style } from './style.ts';
import { fit, widthOf } from './width.ts';

/** Lines that scroll, above a few that are drawn again and again. On anything but a terminal only the lines are left. */
export interface StatusLine extends Disposable {
  /** Lines above the status, which is drawn anew. */
  print(lines: readonly string[]): void;
  /** The status from the next drawing on, for that many columns; printable. */
  show(status: (columns: number) => readonly string[]): void;
  /** Takes the status away, so that something can be asked, until there is another to show. */
  hide(): void;
}

const CLEAR_LINE = '\r\u001b[2K';
const LINE_UP = '\u001b[1A';
const EVERY_MS = 200;

export function statusLine(output: Output, style: Style, clock: Clock): StatusLine {
  const end = new AbortController();
  let status: ((columns: number) => readonly string[]) | undefined;
  let drawn: readonly string[] = [];
  let drawnAt: number | undefined;

  /** Width is asked each time: the window may have been resized. */
  const columns = () => Math.max(2, columnsOf(output));
  /** A terminal that was made narrower has broken what stood there into more lines. */
  const erasing = () => {
    const rows = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns())), 0);
    return rows === 0 ? '' : CLEAR_LINE + (LINE_UP + CLEAR_LINE).repeat(rows - 1);
  };
  const write = (lines: readonly string[]) => {
    const next = style.redraws && status !== undefined ? status(columns()) : [];
    const fitting = next.map((line) => fit(line, columns() - 1));
    // In one piece, so that nothing flickers.
    const text =
      erasing() +
      lines.map((line) => `${line}\n`).join('') +
      fitting.map((line) => paint(style, 'dim', line)).join('\n');
    drawn = fitting;
    drawnAt = clock.now();
    if (text !== '') output.write(text);
  };
  const keepDrawing = async () => {
    while (!end.signal.aborted) {
      await clock.sleep(EVERY_MS, end.signal);
      if (end.signal.aborted || status === undefined) continue;
      const next = status(columns()).map((line) => fit(line, columns() - 1));
      if (next.join('\n') !== drawn.join('\n')) write([]);
    }
  };
  if (style.redraws) void keepDrawing();
  const hide = () => {
    status = undefined;
    write([]);
  };
  return {
    print: (lines) => {
      // Where much happens at once, what is only drawn again can wait for the next round.
      const isFresh = drawnAt !== undefined && clock.now() - drawnAt < EVERY_MS && drawn.length > 0;
      if (lines.length > 0 || (status !== undefined && !isFresh)) write(lines);
    },
    show: (next) => {
      status = next;
    },
    hide,
    [Symbol.dispose]: () => {
      end.abort();
      hide();
    },
  };
}
