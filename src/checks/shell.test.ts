import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { shellQuote } from './shell.ts';

test('plain words stay as they are', () => {
  expect(shellQuote(['npm', 'run', 'lint:fix', '--', 'src/a.ts'])).toBe('npm run lint:fix -- src/a.ts');
});

test('a shell reads back every word, whatever it holds', () => {
  const word = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''));
  fc.assert(
    fc.property(
      fc.array(fc.oneof(word, fc.constantFrom("'", '"', '\\', '$(id)', '`id`', '\n', '', ' ', '!', '~'))),
      (words) => {
        const output = execFileSync('sh', ['-c', `printf '%s\\0' start ${shellQuote(words)}`]);
        expect(output.toString().split('\0').slice(0, -1)).toEqual([
          'start',
          ...words.map((text) => text.toWellFormed()),
        ]);
      },
    ),
    { numRuns: 60 },
  );
});
