import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { loadRepositoryConfig } from './repository.ts';
import { loadYaml } from './yaml-document.ts';

const Schema = z.strictObject({
  name: z.string().optional(),
  port: z.int().optional(),
  tools: z
    .record(z.string(), z.strictObject({ run: z.string(), level: z.enum(['low', 'high']).optional() }))
    .optional(),
});

function problems(text: string): string[] {
  const loaded = loadYaml({ file: 'x.yaml', text }, Schema);
  if (loaded.ok) return [];
  return loaded.problems.map(
    ({ line, column, message, hint }) => `${line}:${column ?? '-'} ${message}${hint === undefined ? '' : ` (${hint})`}`,
  );
}

test('gives the value of a file that fits', () => {
  expect(loadYaml({ file: 'x.yaml', text: 'name: a\ntools: { t: { run: go } }\n' }, Schema)).toEqual({
    ok: true,
    value: { name: 'a', tools: { t: { run: 'go' } } },
  });
});

test.each(['', '# only a comment\n', '---\n', 'null', '\ufeff'])(
  'takes a file without content for one that says nothing: %j',
  (text) => {
    expect(loadYaml({ file: 'x.yaml', text }, Schema)).toEqual({ ok: true, value: {} });
  },
);

test('reads a file with a byte order mark and with the line ends of Windows', () => {
  expect(loadYaml({ file: 'x.yaml', text: '\ufeffname: a\r\nport: 1\r\n' }, Schema)).toEqual({
    ok: true,
    value: { name: 'a', port: 1 },
  });
});

test('tells all problems at once, each at its place', () => {
  expect(problems('name: [1]\nport: high\ntools:\n  a: {}\n  b: { run: x, level: middle }\n')).toEqual([
    '1:7 expected text, found a list',
    '2:7 expected a number, found text',
    '4:6 "run" is missing: text',
    '5:23 expected one of low, high',
  ]);
});

test('suggests the field that was meant', () => {
  expect(problems('nmae: a')[0]).toMatch(/^1:1 unknown field "nmae".*name/);
  expect(problems('name: a\ntools:\n  a: { run: x, level: hgh }')[0]).toMatch(
    /^3:23 expected one of low, high .*"high"/,
  );
  expect(problems('tools:\n  a: { run: x, leve: low }')[0]).toMatch(
    /^2:16 unknown field "leve" \(did you mean "level"\?/,
  );
});

describe('hostile and broken files', () => {
  test.each([
    ['text', /expected a mapping/],
    ['- a\n- b', /expected a mapping/],
    ['name: a\nname: b', /stands here twice/],
    ['tools:\n\ta: 1', /[Tt]abs/],
    ['name: "open', /./],
    ['a: 1\n---\nb: 2', /multiple documents/],
    ['__proto__: { polluted: true }', /__proto__/],
    ['constructor: { prototype: 1 }', /unknown field "constructor"/],
    ['name: !!js/function "x"', /tag/],
    ['? [a, b]\n: 1', /a key must be text/],
    ['a: &a [*a]', /itself|unknown field/],
    ['name: *nowhere', /nowhere/],
    ['name: a\0b', /not text in UTF-8/],
    ['%YAML 1.1\n---\n<<: { name: a }\n', /a key must be text|unknown field/],
  ])('%j is refused with a reason', (text, reason) => {
    expect(problems(text).join('\n')).toMatch(reason);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test.each([
    ['ten megabytes', 'x'.repeat(10_000_000), /larger than 64 KiB/],
    [
      'a bomb of aliases',
      `a: &a [1,2,3,4,5,6,7,8,9]\n${Array.from('bcdefghij', (name, index) => `${name}: &${name} [${`*${'abcdefghij'[index]},`.repeat(9)}]`).join('\n')}`,
      /too much/,
    ],
    ['many aliases', `a: &a x\nb: [${'*a,'.repeat(20_000)}]`, /more than 200 aliases/],
    ['deep nesting', '['.repeat(60_000), /./],
    ['many keys', Array.from({ length: 1500 }, (_, index) => `k${index}: 1`).join('\n'), /unknown field/],
  ])('%s is refused soon', (_, text, reason) => {
    const started = performance.now();
    expect(problems(text)[0]).toMatch(reason);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('never throws, and every problem has a line of the file', () => {
    const piece = fc.constantFrom(
      'checks',
      ':',
      ' ',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '&a ',
      '*a',
      '"',
      "'",
      '#',
      '|',
      '>',
      '!!',
      'run',
      'agents',
      '\t',
      '? ',
      '%',
      '---',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 4, arbitrary: piece }, fc.string()), { maxLength: 40 }), (pieces) => {
        const text = pieces.join('');
        const loaded = loadRepositoryConfig(text, 'config.yaml');
        const lines = text.split('\n').length;
        const places = loaded.ok ? [1] : loaded.problems.map(({ line }) => line);
        expect(Math.min(...places)).toBeGreaterThan(0);
        expect(Math.max(...places)).toBeLessThanOrEqual(lines + 1);
      }),
    );
  });
});
