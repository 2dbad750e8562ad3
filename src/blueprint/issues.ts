import { stringify } from 'yaml';
import { z } from 'zod';
import type { Path, SourceDocument } from './document.ts';
import { known, nearMiss, type Problem, quoted } from './problem.ts';

/** What is wrong with the value at `path` according to zod, in words for people who write YAML. */
export function problemsOf(
  document: SourceDocument,
  path: Path,
  schema: z.ZodType,
  issues: readonly z.core.$ZodIssue[],
): Problem[] {
  return issues.flatMap((issue) => {
    const place = [...path, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))];
    if (issue.code === 'unrecognized_keys') {
      const fields = fieldsAt(schema, issue.path);
      return issue.keys.map((key) => unknownField(document, [...place, key], fields));
    }
    if (issue.code === 'invalid_key') {
      return [document.problem(place, issue.issues[0]?.message ?? issue.message, undefined, 'key')];
    }
    const value = valueAt(document.value, place);
    const meant =
      issue.code === 'invalid_value' && typeof value === 'string'
        ? nearMiss(value, issue.values.map(String))
        : issue.code === 'invalid_type' && value !== undefined
          ? exampleAt(schema, issue.path, value)
          : undefined;
    return [document.problem(place, describe(issue, place, value), meant)];
  });
}

/** A field that nothing here knows. `path` ends in its name. */
export function unknownField(document: SourceDocument, path: Path, fields: Iterable<string>): Problem {
  const name = String(path.at(-1));
  return document.problem(path, `unknown field ${JSON.stringify(name)}`, known(name, fields), 'key');
}

/**
 * Parses each field of a mapping by itself, so that one wrong field does not hide the others. A field that is wrong is left out.
 * Fields that `shape` does not have are the caller's.
 */
export function parseFields<Shape extends z.ZodRawShape>(
  document: SourceDocument,
  path: Path,
  mapping: Readonly<Record<string, unknown>>,
  shape: Shape,
): { fields: Partial<z.output<z.ZodObject<Shape>>>; problems: Problem[] } {
  const fields: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const [name, schema] of Object.entries(shape)) {
    const read = z.safeParse(schema, Object.hasOwn(mapping, name) ? mapping[name] : undefined);
    if (read.success) {
      if (read.data !== undefined) fields[name] = read.data;
    } else {
      problems.push(...problemsOf(document, [...path, name], schema as z.ZodType, read.error.issues));
    }
  }
  return { fields: fields as Partial<z.output<z.ZodObject<Shape>>>, problems };
}

/** Whether a value is a mapping of YAML. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(issue: z.core.$ZodIssue, place: Path, value: unknown): string {
  if (issue.code === 'invalid_type') return expected([issue.expected], place, value);
  if (issue.code === 'invalid_value') return `expected one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_union') return describeUnion(issue, place, value);
  if (issue.code === 'too_small' && issue.origin !== 'string' && issue.origin !== 'array') {
    return `must be ${issue.inclusive === true ? 'at least' : 'more than'} ${issue.minimum}`;
  }
  return issue.message;
}

/** The alternative that came furthest is the one that was meant; when all failed at once, the value is of none of their types. */
function describeUnion(issue: z.core.$ZodIssueInvalidUnion, place: Path, value: unknown): string {
  const firsts = issue.errors.flatMap((errors) => errors.slice(0, 1));
  const meant = firsts.find((first) => first.path.length > 0 || first.code !== 'invalid_type');
  if (meant === undefined) {
    const types = firsts.flatMap((first) => (first.code === 'invalid_type' ? [first.expected] : []));
    return expected(types, place, value);
  }
  const inner = meant.path as Path;
  return describe(meant, [...place, ...inner], valueAt(value, inner));
}

const TYPE_NAMES: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['int', 'a whole number'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'a mapping'],
  ['record', 'a mapping'],
]);

function expected(types: readonly string[], place: Path, value: unknown): string {
  const names = [...new Set(types.map((type) => TYPE_NAMES.get(type) ?? type))].join(' or ');
  if (value !== undefined) return `expected ${names}, found ${found(value)}`;
  return `${quoted([String(place.at(-1))])} is missing: ${names}`;
}

function found(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? 'text' : JSON.stringify(value);
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<string | number, unknown>)[key]
        : undefined,
    value,
  );
}

/** The names of the fields that a schema has at a path. */
function fieldsAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  const inner = schemaAt(schema, path);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** A hint with the first example that the schema at a path has, as it is written; a bare number gets the unit of it. */
function exampleAt(schema: unknown, path: readonly PropertyKey[], value: unknown): string | undefined {
  const inner = schemaAt(schema, path);
  const example: unknown =
    inner instanceof z.ZodType ? (inner.meta()?.['examples'] as unknown[] | undefined)?.[0] : undefined;
  if (typeof value === 'number' && typeof example === 'string')
    return `Write it as ${example.replace(/^\d+/, String(value))}`;
  return example === undefined
    ? undefined
    : `Write it as ${stringify(example, { collectionStyle: 'flow', lineWidth: 0 }).trim()}`;
}

function schemaAt(schema: unknown, path: readonly PropertyKey[]): unknown {
  const inner = unwrapped(schema);
  const [key, ...rest] = path;
  if (key === undefined) return inner;
  if (inner instanceof z.ZodObject) return schemaAt(inner.shape[String(key)], rest);
  if (inner instanceof z.ZodRecord) return schemaAt(inner.valueType, rest);
  return inner instanceof z.ZodArray ? schemaAt(inner.element, rest) : undefined;
}

function unwrapped(schema: unknown): unknown {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return unwrapped(schema.unwrap());
  }
  if (schema instanceof z.ZodPipe) return unwrapped(schema.in);
  return schema;
}
