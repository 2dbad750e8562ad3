import { expect, test } from 'vitest';
import { parseJsonc } from './jsonc.ts';

const value = (text: string) => {
  const parsed = parseJsonc(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
};

test('comments and a last comma are fine, and nothing within a string is one', () => {
  const text = `\ufeff// first
{ /* "a": 0, */ "a": "http://x/*y*/ // z", // why
  "b": [1, 2, /* more */ ], "c": "\\"//,]\\"", "d": { "e": ",}", /*
*/ },
}`;
  expect(value(text)).toEqual({ a: 'http://x/*y*/ // z', b: [1, 2], c: '"//,]"', d: { e: ',}' } });
  expect(value('[]')).toEqual([]);
});

test('what is neither is told, with its line where that is known', () => {
  expect(parseJsonc('{\n  // a comment\n  "a": nope\n}')).toMatchObject({
    ok: false,
    message: expect.stringContaining('nope'),
  });
  expect(parseJsonc('{\n  /* a\n comment */ a: 1\n}')).toMatchObject({ ok: false, line: 3 });
  expect(parseJsonc('{ "a": 1,, }')).toMatchObject({ ok: false, line: 1 });
  expect(parseJsonc('{ "a": 1 /* without an end }')).toMatchObject({ ok: false });
  expect(parseJsonc('')).toMatchObject({ ok: false });
});
