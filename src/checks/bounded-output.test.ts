import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BoundedOutput } from './bounded-output.ts';

test('keeps all that fits', () => {
  const output = new BoundedOutput(100);
  for (const line of ['one', '', 'three']) output.add(line);
  expect(output.take()).toEqual({ text: 'one\n\nthree\n', omitted: 0 });
});

test('keeps the first and the last lines of what does not fit, and says how much is missing between', () => {
  const output = new BoundedOutput(100);
  for (let number = 1; number <= 1000; number += 1) output.add(`line ${number}`);
  const { text, omitted } = output.take();
  expect(text).toMatch(/^line 1\nline 2\n/);
  expect(text).toContain(`[… ${omitted} characters were left out …]\n`);
  expect(text).toMatch(/\nline 999\nline 1000\n$/);
});

test('says of a line that was cut how much is missing', () => {
  const output = new BoundedOutput();
  output.add('abc', 7);
  expect(output.take()).toEqual({ text: 'abc [… 7 more characters]\n', omitted: 7 });
});

test('stays near its bound whatever comes', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 40 }), { maxLength: 200 }), (lines) => {
      const output = new BoundedOutput(200);
      for (const line of lines) output.add(line);
      expect(output.take().text.length).toBeLessThan(200 + 100);
    }),
  );
});
