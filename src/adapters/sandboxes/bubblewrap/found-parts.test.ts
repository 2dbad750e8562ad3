import { expect, test } from 'vitest';
import { FoundParts } from './found-parts.ts';
import { readOnly } from './part.ts';

test('those who ask for the same at once share one look, those who ask for something else do not', async () => {
  const found = new FoundParts();
  const looks: string[] = [];
  const look = (path: string) => async () => {
    looks.push(path);
    return [readOnly(path)];
  };
  const both = await Promise.all([found.ask('a', look('/a')), found.ask('a', look('/a')), found.ask('b', look('/b'))]);
  expect(both).toEqual([[readOnly('/a')], [readOnly('/a')], [readOnly('/b')]]);
  expect(looks).toEqual(['/a', '/b']);
});

test('a look that failed is not kept', async () => {
  const found = new FoundParts();
  const failing = found.ask('a', () => Promise.reject(new Error('for a moment')));
  await expect(failing).rejects.toThrow('for a moment');
  expect(await found.ask('a', async () => [readOnly('/a')])).toEqual([readOnly('/a')]);
});
