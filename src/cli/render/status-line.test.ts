import { expect, test } from 'vitest';
import type { Clock } from '../../lib/clock.ts';
import { statusLine } from './status-line.ts';
import { PLAIN } from './style.ts';

const STILL: Clock = {
  now: () => 0,
  sleep: (_, signal) => new Promise((resolve) => signal?.addEventListener('abort', () => resolve())),
};
const TERMINAL = { ...PLAIN, width: 20, redraws: true };

test('the line is taken away before others are printed, and drawn again below them', () => {
  const output = recorder();
  using status = statusLine(output, TERMINAL, STILL);
  status.show(() => 'lint · 3s');
  status.print(['one', 'two']);
  expect(screen(output.text)).toEqual(['one', 'two', 'lint · 3s']);
});

test('it never takes more than one line of the terminal', () => {
  const output = recorder();
  using status = statusLine(output, TERMINAL, STILL);
  status.show(() => 'a text that is longer than the terminal is wide');
  status.print([]);
  expect(screen(output.text)[0]?.length).toBeLessThan(20);
});

test('hidden and at its end it leaves nothing behind', () => {
  const output = recorder();
  {
    using status = statusLine(output, TERMINAL, STILL);
    status.show(() => 'lint');
    status.print([]);
    status.hide();
    status.print(['question?']);
    expect(screen(output.text)).toEqual(['question?', '']);
    status.show(() => 'ci');
    status.print(['more']);
    expect(screen(output.text)).toEqual(['question?', 'more', 'ci']);
  }
  expect(screen(output.text)).toEqual(['question?', 'more', '']);
});

test('where lines cannot be drawn again, only the printed ones are there', () => {
  const output = recorder();
  using status = statusLine(output, PLAIN, STILL);
  status.show(() => 'lint');
  status.print(['one']);
  status.print([]);
  expect(output.text).toBe('one\n');
});

function recorder(): { text: string; columns: number; write(text: string): void } {
  return {
    text: '',
    columns: 20,
    write(text) {
      this.text += text;
    },
  };
}

/** What a terminal shows after that text, for the two things that are used: going back to the line's start and clearing it. */
function screen(text: string): string[] {
  return text.split('\n').map((line) => line.split('\r\u001b[2K').at(-1) ?? '');
}
