import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderTemplate, templateNames, templateProblems } from './template.ts';

const render = renderTemplate;
const problems = (text: string, names: string[] = ['task.title', 'note']) =>
  templateProblems({ file: 'a.md', text }, (name) => names.includes(name), names).map(
    ({ line, column, message }) => `${line}:${column} ${message}`,
  );

describe('filling in', () => {
  test('puts values in their places', () => {
    expect(render('# {{task.title}}\n{{ note }}', { task: { title: 'T' }, note: 'N' })).toBe('# T\nN');
  });

  test('shows a block only when there is something', () => {
    const text = 'a{{#if note}} {{note}}{{/if}}b';
    expect(render(text, { note: 'x' })).toBe('a xb');
    for (const nothing of [undefined, null, '', '  ', false, 0, []]) expect(render(text, { note: nothing })).toBe('ab');
  });

  test('blocks lie in blocks', () => {
    const text = '{{#if a}}1{{#if b}}2{{/if}}3{{/if}}4';
    expect(render(text, { a: 1, b: 1 })).toBe('1234');
    expect(render(text, { a: 1 })).toBe('134');
    expect(render(text, { b: 1 })).toBe('4');
  });

  test('never reads a value as a template', () => {
    expect(render('{{a}}', { a: '{{b}}{{#if b}}$&{{/if}}', b: 'secret' })).toBe('{{b}}{{#if b}}$&{{/if}}');
  });

  test('shows lists line by line and other data as JSON', () => {
    expect(render('{{a}}|{{b}}|{{c}}', { a: ['x', 'y'], b: { k: 1 }, c: 7 })).toBe('x\ny|{\n  "k": 1\n}|7');
  });

  test('what has no value becomes nothing, and nothing inherited is reached', () => {
    expect(render('<{{a}}{{a.b.c}}{{constructor}}{{a.constructor.name}}{{__proto__}}{{toString}}>', { a: {} })).toBe(
      '<{}{{__proto__}}>',
    );
  });

  test('leaves alone what only looks like a place', () => {
    const text = "${{ github.ref }} {{ .Values.x }} {{ 'a' }} {{}} {a} }} {{";
    expect(render(text, { github: { ref: 'no' } })).toBe(text);
  });

  test('never throws, and inserts any value as it is', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(render('<{{v}}>', { v: value })).toBe(`<${value}>`);
      }),
    );
    const piece = fc.constantFrom('{{', '}}', '{{a}}', '{{#if a}}', '{{/if}}', '{{#each a}}', '\n', '$');
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string())), (pieces) => {
        render(pieces.join(''), { a: 'x' });
        problems(pieces.join(''));
      }),
    );
  });
});

describe('names and problems', () => {
  test('lists the names with their places, and which of them the text can do without', () => {
    expect(templateNames('{{a}}\n{{#if b.c}} {{b.c}} {{d}}{{/if}}{{b.c}}')).toEqual([
      { name: 'a', line: 1, column: 1, optional: false },
      { name: 'b.c', line: 2, column: 1, optional: true },
      { name: 'b.c', line: 2, column: 13, optional: true },
      { name: 'd', line: 2, column: 21, optional: false },
      { name: 'b.c', line: 2, column: 33, optional: false },
    ]);
  });

  test('a name that nothing gives is a problem, unless the text asks first', () => {
    expect(problems('{{task.title}}\n  {{task.titel}}')).toEqual(['2:3 nothing gives a value to {{task.titel}}']);
    expect(problems('{{#if review}}{{review}}{{/if}}')).toEqual([]);
  });

  test('suggests the name that was meant', () => {
    expect(templateProblems({ file: 'a.md', text: '{{notes}}' }, () => false, ['note'])[0]?.hint).toContain(
      'did you mean "note"',
    );
  });

  test('blocks that do not match are problems', () => {
    expect(problems('{{#if note}}\n{{/if}}{{/if}}')).toEqual(['2:8 this {{/if}} closes nothing']);
    expect(problems('a {{#if note}}')).toEqual(['1:3 this {{#if}} is not closed']);
  });

  test.each(['{{#each links}}', '{{else}}', '{{/each}}', '{{> part}}', '{{#if}}', '{{^note}}', '{{! x }}'])(
    '%s is a problem',
    (tag) => {
      expect(problems(`text\n${tag}`)).toEqual([expect.stringMatching(/^2:\d+ a template knows/)]);
    },
  );

  test('what belongs to other languages is no problem', () => {
    expect(problems('${{ secrets.KEY }} {{ .Values.name }}')).toEqual([]);
  });

  test('a large template takes linear time', () => {
    const started = performance.now();
    expect(templateNames('{{a}}\n'.repeat(100_000))).toHaveLength(100_000);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
