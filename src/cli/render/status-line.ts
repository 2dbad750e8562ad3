import type { Clock } from '../../lib/clock.ts';
import type { Output } from '../context.ts';
import { paint, type Style } from './style.ts';
import { fit } from './width.ts';

/** Lines that scroll, above one that is redrawn each second. On anything but a terminal only the lines are left. */
export interface StatusLine extends Disposable {
  /** Lines above the status, which is drawn anew. */
  print(lines: readonly string[]): void;
  /** The status from the next drawing on; printable. */
  show(text: () => string): void;
  /** Takes the status away, so that something can be asked, until there is another to show. */
  hide(): void;
}

const CLEAR = '\r\u001b[2K';

export function statusLine(output: Output, style: Style, clock: Clock): StatusLine {
  const end = new AbortController();
  let text: (() => string) | undefined;
  let drawn = false;

  const erase = () => {
    if (drawn) output.write(CLEAR);
    drawn = false;
  };
  const draw = () => {
    if (!style.redraws || text === undefined) return;
    // The width is asked each time: the window may have been resized.
    const shown = paint(style, 'dim', fit(text(), (output.columns ?? 80) - 1));
    output.write(CLEAR + shown);
    drawn = true;
  };
  const keepDrawing = async () => {
    while (!end.signal.aborted) {
      await clock.sleep(1000, end.signal);
      if (!end.signal.aborted) draw();
    }
  };
  if (style.redraws) void keepDrawing();

  return {
    print: (lines) => {
      erase();
      if (lines.length > 0) output.write(`${lines.join('\n')}\n`);
      draw();
    },
    show: (next) => {
      text = next;
    },
    hide: () => {
      text = undefined;
      erase();
    },
    [Symbol.dispose]: () => {
      end.abort();
      text = undefined;
      erase();
    },
  };
}
