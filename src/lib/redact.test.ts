import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileRedact, type Redact, redactBy, redactNothing, redactWithin } from './redact.ts';

const VALUE = 'p4ss/w+rd "ü"?&7Kq';
const redact = compileRedact([{ name: 'TOKEN', value: VALUE }]);
const bytes = Buffer.from(VALUE);

const FORMS: Readonly<Record<string, string>> = {
  'as it is': VALUE,
  base64: bytes.toString('base64'),
  'base64 for addresses': bytes.toString('base64url'),
  'base64 after one other byte': Buffer.from(`:${VALUE}:more`).toString('base64'),
  'base64 after two other bytes': Buffer.from(`u:${VALUE}`).toString('base64'),
  'base64 of a user and it': Buffer.from(`user:${VALUE}`).toString('base64url'),
  hex: bytes.toString('hex'),
  'hex in capitals': bytes.toString('hex').toUpperCase(),
  JSON: JSON.stringify({ value: VALUE }),
  'JSON within JSON': JSON.stringify({ log: JSON.stringify({ value: VALUE }) }),
  'JSON in ASCII': JSON.stringify(VALUE).replace('ü', String.raw`\u00fc`),
  'JSON that is safe in HTML': JSON.stringify(VALUE).replace('&', String.raw`\u0026`),
  'JSON with escaped slashes': JSON.stringify(VALUE).replace('/', String.raw`\/`),
  'percent-encoding': encodeURIComponent(VALUE),
  'percent-encoding in small letters': encodeURIComponent(VALUE).replace(/%../g, (code) => code.toLowerCase()),
  'percent-encoding of an address': encodeURI(VALUE),
  'a form': new URLSearchParams({ value: VALUE }).toString(),
  'percent-encoding of every byte': bytes.toString('hex').replace(/../g, '%$&'),
};

describe('forms', () => {
  test.for(Object.entries(FORMS))('a value is taken out: %s', ([, text]) => {
    const hidden = redact(`before ${text} after`);
    expect(hidden).toContain('[secret TOKEN]');
    for (const form of [VALUE, bytes.toString('hex'), encodeURIComponent(VALUE)]) expect(hidden).not.toContain(form);
    expect(hidden).toMatch(/^before .* after$/);
  });

  test('what is round a value in base64 stays, but for what shares a character with it', () => {
    const text = Buffer.from(`authorization of user:${VALUE}, and more`).toString('base64');
    const [before = '', after = ''] = redact(text).split('[secret TOKEN]');
    expect(Buffer.from(before, 'base64').toString()).toMatch(/^authorization of use/);
    expect(text.startsWith(before) && text.endsWith(after)).toBe(true);
    expect(text.length - before.length - after.length).toBeGreaterThan(VALUE.length);
  });

  test('a text without a value stays as it is', () => {
    const text = 'p4ss/w+rd and other words: 70347373, cDRzcy93K3Jk.';
    expect(redact(text)).toBe(text);
    expect(redactNothing(VALUE)).toBe(VALUE);
  });

  test('lines that `base64` and `xxd -p` have broken are read on', () => {
    const long = `github_pat_${'a1B2c3D4e5'.repeat(8)}`;
    const hide = compileRedact([{ name: 'PAT', value: long }]);
    const encoded = Buffer.from(`header: ${long}\ntrailer`).toString('base64');
    const hex = Buffer.from(`x${long}y`).toString('hex');
    for (const [text, width, end] of [
      [encoded, 76, '\n'],
      [encoded, 64, '\r\n'],
      [hex, 60, '\n'],
    ] as const) {
      const broken = `key:\n${text.replace(new RegExp(`.{${width}}`, 'g'), `$&${end}`)}\nend`;
      const hidden = hide(broken);
      expect(hidden).toContain('[secret PAT]');
      expect(hidden.replace(/\s/g, '').length).toBeLessThan(60);
      expect(hidden).toMatch(/^key:\n[^]*\nend$/);
    }
  });

  test('each line of a value that has several is taken out by itself, but for what every key begins with', () => {
    const lines = ['MIIEvQIBADANBgkqhkiG9w0BAQEFAASC', 'BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj'];
    const key = `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
    const hide = compileRedact([{ name: 'KEY', value: key }]);
    expect(hide(`> ${lines[0]}\n> and ${lines[1]}`)).toBe('> [secret KEY]\n> and [secret KEY]');
    expect(hide('it has -----BEGIN PRIVATE KEY----- in it')).toBe('it has -----BEGIN PRIVATE KEY----- in it');
    expect(hide(`a ${key.replaceAll('\n', '\r\n')} b`)).toBe('a [secret KEY] b');
    expect(hide(JSON.stringify({ key }))).toBe('{"key":"[secret KEY]"}');
  });

  test('a short value is left out, and one of eight characters is not', () => {
    const hide = compileRedact([
      { name: 'SHORT', value: '1234567' },
      { name: 'LONG', value: '12345678' },
    ]);
    expect(hide('1234567')).toBe('1234567');
    expect(hide('x12345678')).toBe('x[secret LONG]');
  });
});

describe('what a terminal obeys', () => {
  const [first, rest] = [VALUE.slice(0, 7), VALUE.slice(7)];

  test('a value that colours or control characters have parted is taken out, with them', () => {
    expect(redact(`a \x1b[1m${first}\x1b[0m${rest} b`)).toBe('a [secret TOKEN] b');
    expect(redact(`a ${first}\x07${rest} b`)).toBe('a [secret TOKEN] b');
    const text = redact.pieces();
    expect(text.add(`a ${first}\x1b[0`) + text.add(`m${rest}\nb`) + text.end()).toBe('a [secret TOKEN]\nb');
  });

  test('colours in other texts stay', () => {
    const text = `\x1b[31mred\x1b[0m and ${first}`;
    expect(redact(text)).toBe(text);
    expect(redact(`${text} ${VALUE}`)).toBe(`${text} [secret TOKEN]`);
  });
});

describe('several values', () => {
  const hide = compileRedact([
    { name: 'A', value: 'abcdefghij' },
    { name: 'B', value: 'ghijklmnop' },
    { name: 'C', value: 'abcdefghijkl' },
  ]);

  test('each has its own name, and of two that begin alike the longer one counts', () => {
    expect(hide('-abcdefghij-ghijklmnop-')).toBe('-[secret A]-[secret B]-');
    expect(hide('-abcdefghijkl-')).toBe('-[secret C]-');
  });

  test('nothing is left of two that overlap', () => {
    expect(hide('-abcdefghijklmnop-')).toBe('-[secret C]-');
  });

  test('what is hidden already stays so', () => {
    const once = hide('-abcdefghij-ghijklmnop-');
    expect(hide(once)).toBe(once);
  });
});

describe('texts that were cut', () => {
  const hide = compileRedact([{ name: 'T', value: 'tokenABCDEFGHIJKLMNOPQRSTUVWXYZ' }]);

  test('a long part of a value at an end is taken out as well', () => {
    expect(hide('it printed tokenABCDEFGHIJ')).toBe('it printed [secret T]');
    expect(hide('OPQRSTUVWXYZ was printed')).toBe('[secret T] was printed');
  });

  test('a short part is not, nor one that is somewhere else', () => {
    expect(hide('it printed tokenABC')).toBe('it printed tokenABC');
    expect(hide('a tokenABCDEFGHIJ b')).toBe('a tokenABCDEFGHIJ b');
  });
});

describe('a text in pieces', () => {
  const long = `github_pat_${'a1B2c3D4e5'.repeat(8)}`;
  const several = 'first-line-of-three\nsecond\nthird-line-of-three';
  const hide = compileRedact([
    { name: 'TOKEN', value: VALUE },
    { name: 'PAT', value: long },
    { name: 'LINES', value: several },
  ]);
  const inPieces = (all: readonly string[], by: Redact = hide) => {
    const text = by.pieces();
    return all.map((piece) => text.add(piece)).join('') + text.end();
  };
  const texts = fc
    .array(
      fc.oneof(
        fc.constantFrom(...Object.values(FORMS), VALUE, long, several, 'second', '\n', '\r\n'),
        fc.constantFrom(...[long, `${VALUE}${long}`].map((one) => wrapped(Buffer.from(one).toString('base64')))),
        fc.string({ maxLength: 12 }),
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(''));

  test('the same is taken out as of the whole text, wherever it is parted', () => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat(40), { minLength: 1, maxLength: 20 }), (text, sizes) => {
        const pieces: string[] = [];
        for (let at = 0, n = 0; at < text.length; n += 1) {
          const size = 1 + (sizes[n % sizes.length] ?? 0);
          pieces.push(text.slice(at, at + size));
          at += size;
        }
        // The beginning of a stream is no text that was cut.
        expect(inPieces(pieces)).toBe(hide(`\n${text}`).slice(1));
      }),
      { numRuns: 500 },
    );
  });

  test('whole lines come at once, but for those in which something may have begun', () => {
    const text = hide.pieces();
    expect(text.add('one\ntwo')).toBe('one\n');
    expect(text.add('\n')).toBe('two\n');
    expect(text.add('first-line-of-three\n')).toBe('');
    expect(text.add('second\nthird-line-of-three\nand')).toBe('[secret LINES]\n');
    expect(text.end()).toBe('and');
  });

  test('a line without an end is not kept whole, and nothing of a value is lost on its way', () => {
    const text = hide.pieces();
    let shown = '';
    let most = 0;
    let given = 0;
    for (let n = 0; n < 2000; n += 1) {
      const piece = n % 100 === 50 ? `${'x'.repeat(300)}${long}` : 'y'.repeat(400);
      given += piece.length;
      shown += text.add(piece);
      most = Math.max(most, given - shown.length);
    }
    shown += text.end();
    expect(most).toBeLessThan(100_000);
    expect(shown.split('[secret PAT]')).toHaveLength(21);
    expect(shown).not.toContain('github_pat');
  });

  test('nothing is held back where there is nothing to take out', () => {
    const text = redactNothing.pieces();
    expect(text.add('a')).toBe('a');
    expect(text.end()).toBe('');
  });
});

test('a megabyte with a hundred values, many of them alike, is gone through in one go', { timeout: 20_000 }, () => {
  const values = Array.from({ length: 100 }, (_, n) => ({
    name: `S${n}`,
    value: `${n}-${'Zq7'.repeat(4 + (n % 9))}-${n * 7919}`,
  }));
  const hide = compileRedact(values);
  for (const part of ['Zq7', 'lorem ipsum dolor ', 'QUJD', 'Zq7\n', '0']) {
    const text = part.repeat(Math.ceil(2 ** 20 / part.length));
    expect(hide(text) === text).toBe(true);
    expect(hide(`${text} ${values[50]?.value} ${text}`) === `${text} [secret S50] ${text}`).toBe(true);
  }
});

test('what is in force is what counts at the time of use', () => {
  let current = redactNothing;
  const hide = redactBy(() => current);
  expect([hide(VALUE), hide.isNeeded()]).toEqual([VALUE, false]);
  current = redact;
  expect([hide(VALUE), hide.isNeeded()]).toEqual(['[secret TOKEN]', true]);
  expect(hide.pieces().add(`${VALUE}\n`)).toBe('[secret TOKEN]\n');
});

describe('plain values', () => {
  test('all texts are gone through, in lists and objects; keys and what is named stay', () => {
    const value = { kind: VALUE, text: `a ${VALUE}`, inner: { list: [VALUE, 1, null], kind: 'x' }, kinds: [VALUE] };
    expect(redactWithin(value, redact, new Set(['kind', 'kinds']))).toEqual({
      kind: VALUE,
      text: 'a [secret TOKEN]',
      inner: { list: ['[secret TOKEN]', 1, null], kind: 'x' },
      kinds: [VALUE],
    });
  });

  test('an object at a key that is named is gone through, and what is no plain object is left alone', () => {
    const at = new Date(0);
    const value = { state: { kind: 'failed', reason: VALUE }, at, nothing: undefined };
    expect(redactWithin(value, redact, new Set(['state']))).toEqual({
      state: { kind: 'failed', reason: '[secret TOKEN]' },
      at,
      nothing: undefined,
    });
  });
});

function wrapped(text: string): string {
  return `${text.replace(/.{76}/g, '$&\n')}\n`;
}
