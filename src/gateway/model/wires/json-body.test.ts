import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonBody } from './json-body.ts';

function told(pieces: readonly (string | Uint8Array)[], most = 100_000): unknown[] {
  const values: unknown[] = [];
  const body = new JsonBody((value) => values.push(value), most);
  for (const piece of pieces) body.take(Buffer.from(piece));
  return values;
}

test('a body is told once it is whole, however it is cut, and whatever comes after it', () => {
  const values = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()));
  fc.assert(
    fc.property(values, fc.nat(), (value, place) => {
      const bytes = Buffer.from(JSON.stringify(value));
      const at = place % bytes.length;
      const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
      expect(told([pieces[0]!])).toEqual([]);
      expect(told([...pieces, '\n{}'])).toEqual([JSON.parse(bytes.toString())]);
    }),
  );
});

test('brackets and escaped quotes within strings do not end a body', () => {
  expect(told(['{"a":"}\\"', '}]","b":"\\', '\\"}'])).toEqual([{ a: '}"}]', b: '\\' }]);
});

test('a body that is no JSON, or longer than the bound, is not told', () => {
  expect(told(['{a: 1}'])).toEqual([]);
  expect(told(['[1,2', ',3]'], 5)).toEqual([]);
  expect(told(['[1,2', ']'], 5)).toEqual([[1, 2]]);
});
