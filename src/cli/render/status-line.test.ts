import { expect, test } from 'vitest';
import type { Clock } from '../../lib/clock.ts';
import { screenOf } from '../fixture/screen.ts';
import { statusLine } from './status-line.ts';
import { PLAIN } from './style.ts';

const STILL: Clock = {
  now: () => 0,
  sleep: (_, signal) => new Promise((resolve) => signal?.addEventListener('abort', () => resolve())),
};
const TERMINAL = { ...PLAIN, width: 20, redraws: true };

test('the status is taken away before lines are printed, and drawn again below them', () => {
  const output = recorder();
  using status = statusLine(output, TERMINAL, STILL);
  status.show(() => ['lint · 3s', 'run 9s']);
  status.print(['one', 'two']);
  status.print(['three']);
  expect(screenOf(output.text, 20)).toEqual(['one', 'two', 'three', 'lint · 3s', 'run 9s']);
});

test('none of its lines is ever longer than the terminal is wide', () => {
  const output = recorder();
  using status = statusLine(output, TERMINAL, STILL);
  status.show(() => ['a text that is longer than the terminal is wide', '日本語日本語日本語日本語']);
  status.print([]);
  const [first = '', second = ''] = screenOf(output.text, 1000);
  expect(first).toBe('a text that is lon…');
  expect(second).toBe('日本語日本語日本語…');
});

test('a terminal that has become narrower is left clean, although it has broken the old status into more rows', () => {
  const output = recorder();
  using status = statusLine(output, TERMINAL, STILL);
  status.show(() => ['0123456789abcdef']);
  status.print(['one']);
  output.columns = 8;
  const before = output.text.length;
  status.print(['two']);
  // One that stands in two rows now: both are cleared, and nothing above them.
  expect(output.text.slice(before)).toBe('\r\u001b[2K\u001b[1A\r\u001b[2Ktwo\n012345…');
});

test('hidden and at its end it leaves nothing behind', () => {
  const output = recorder();
  {
    using status = statusLine(output, TERMINAL, STILL);
    status.show(() => ['lint', 'run']);
    status.print([]);
    status.hide();
    status.print(['question?']);
    expect(screenOf(output.text, 20)).toEqual(['question?', '']);
    status.show(() => ['ci', 'run']);
    status.print(['more']);
    expect(screenOf(output.text, 20)).toEqual(['question?', 'more', 'ci', 'run']);
  }
  expect(screenOf(output.text, 20)).toEqual(['question?', 'more', '', '']);
});

test('it is drawn again as time goes by, but only when it has changed', async () => {
  const output = recorder();
  let now = 0;
  let wake = () => undefined as void;
  const clock: Clock = {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        signal?.addEventListener('abort', () => resolve());
        wake = () => {
          now += ms;
          resolve();
        };
      }),
  };
  const tick = async () => {
    wake();
    await new Promise((resolve) => setImmediate(resolve));
  };
  using status = statusLine(output, TERMINAL, clock);
  let text = 'lint';
  status.show(() => [text]);
  status.print([]);
  const once = output.text;
  await tick();
  expect(output.text).toBe(once);
  text = 'ci';
  await tick();
  expect(screenOf(output.text, 20)).toEqual(['ci']);
});

test('where lines cannot be drawn again, only the printed ones are there', () => {
  const output = recorder();
  using status = statusLine(output, PLAIN, STILL);
  status.show(() => ['lint']);
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
