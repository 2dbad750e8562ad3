import { known, type Problem } from '../blueprint/problem.ts';

/**
 * Texts with places for values: `{{name}}`, `{{name.part}}` and `{{#if name}}…{{/if}}`, nothing else. Values are inserted as they are and
 * never read as a template again. `${{…}}` belongs to other languages and stays.
 */

export type TemplateValues = Readonly<Record<string, unknown>>;

export interface TemplateName {
  readonly name: string;
  /** From 1, as is `column`. */
  readonly line: number;
  readonly column: number;
  /** Asked about by an `#if`, or used within one that asks about it: the text is made to do without. */
  readonly optional: boolean;
}

const TAG =
  /(?<!\$)\{\{\s{0,8}(?:#if\s{1,8}([A-Za-z][\w-]*(?:\.[\w-]+)*)|(\/if)|(?!else\b)([A-Za-z][\w-]*(?:\.[\w-]+)*))\s{0,8}\}\}/g;
const OTHER_TAG = /(?<!\$)\{\{\s{0,8}(?:[#/^>!&]|else\b)[^\n]{0,40}/g;

/** The names that a template uses, in their order. */
export function templateNames(text: string): TemplateName[] {
  const open: string[] = [];
  const placeOf = placesIn(text);
  return tagsOf(text).flatMap((tag) => {
    if (tag.kind === 'end') {
      open.pop();
      return [];
    }
    const optional = tag.kind === 'if' || open.includes(tag.name);
    if (tag.kind === 'if') open.push(tag.name);
    return [{ name: tag.name, ...placeOf(tag.start), optional }];
  });
}

/** What is wrong with a template: names that nothing gives and that it cannot do without, blocks that do not match, other forms. */
export function templateProblems(
  source: { file: string; text: string },
  isKnown: (name: string) => boolean,
  names: readonly string[] = [],
): Problem[] {
  const { file, text } = source;
  const placeOf = placesIn(text);
  const unknown = templateNames(text)
    .filter(({ name, optional }) => !optional && !isKnown(name))
    .map(({ name, line, column }) => ({
      file,
      line,
      column,
      message: `nothing gives a value to {{${name}}}`,
      hint: known(name, names),
    }));
  const others = [...withoutTags(text).matchAll(OTHER_TAG)].map(({ index }) => ({
    file,
    ...placeOf(index),
    message: 'a template knows {{name}} and {{#if name}}…{{/if}} only',
  }));
  return [...unknown, ...unmatched(source), ...others].toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** Fills a template in. What has no value becomes nothing; a block that is not closed reaches to the end. Never throws. */
export function renderTemplate(text: string, values: TemplateValues): string {
  let rendered = '';
  let at = 0;
  const shown: boolean[] = [];
  const add = (piece: string) => {
    if (!shown.includes(false)) rendered += piece;
  };
  for (const tag of tagsOf(text)) {
    add(text.slice(at, tag.start));
    at = tag.end;
    if (tag.kind === 'if') shown.push(isSomething(valueOf(values, tag.name)));
    else if (tag.kind === 'end') shown.pop();
    else add(textOf(valueOf(values, tag.name)));
  }
  add(text.slice(at));
  return rendered;
}

/** A value as a template shows it: lists line by line, other data as JSON. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join('\n');
  if (typeof value === 'object') return JSON.stringify(value, undefined, 2);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** Whether there is anything to show; what `#if` asks. */
export function isSomething(value: unknown): boolean {
  return value !== false && value !== 0 && textOf(value).trim() !== '' && !(Array.isArray(value) && value.length === 0);
}

type Tag = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'if' | 'value'; readonly name: string }
  | { readonly kind: 'end' }
);

function tagsOf(text: string): Tag[] {
  return Array.from(text.matchAll(TAG), ({ 0: whole, 1: condition, 2: end, 3: name, index }) => {
    const range = { start: index, end: index + whole.length };
    if (end !== undefined) return { ...range, kind: 'end' };
    return condition === undefined
      ? { ...range, kind: 'value', name: name ?? '' }
      : { ...range, kind: 'if', name: condition };
  });
}

function unmatched({ file, text }: { file: string; text: string }): (Problem & { column: number })[] {
  const problems: (Problem & { column: number })[] = [];
  const open: Tag[] = [];
  const placeOf = placesIn(text);
  const report = (tag: Tag, message: string) => problems.push({ file, ...placeOf(tag.start), message });
  for (const tag of tagsOf(text)) {
    if (tag.kind === 'if') open.push(tag);
    if (tag.kind === 'end' && open.pop() === undefined) report(tag, 'this {{/if}} closes nothing');
  }
  for (const tag of open) report(tag, 'this {{#if}} is not closed');
  return problems;
}

/** Own properties only, so that no name reaches what every object inherits. */
function valueOf(values: TemplateValues, name: string): unknown {
  let value: unknown = values;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

function withoutTags(text: string): string {
  return text.replace(TAG, (tag) => ' '.repeat(tag.length));
}

/** Line and column of offsets that are asked for in rising order. */
function placesIn(text: string): (offset: number) => { line: number; column: number } {
  let line = 1;
  let start = 0;
  return (offset) => {
    for (let end = text.indexOf('\n', start); end !== -1 && end < offset; end = text.indexOf('\n', start)) {
      line += 1;
      start = end + 1;
    }
    return { line, column: offset - start + 1 };
  };
}
