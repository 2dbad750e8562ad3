import type { z } from 'zod';
import { type BlueprintSource, readDocument, type SourceDocument } from '../blueprint/document.ts';
import { problemsOf } from '../blueprint/issues.ts';
import type { Problem } from '../blueprint/problem.ts';

/** What a configuration file holds, or everything that is wrong with it. */
export type Loaded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface LoadOptions<T> {
  /** Top-level keys with an answer of their own, where "unknown field" would not help. */
  readonly refused?: ReadonlyMap<string, { readonly message: string; readonly hint: string }>;
  /** What the schema cannot say. Called only for a value that fits the schema. */
  readonly rules?: (value: T, document: SourceDocument) => readonly Problem[];
}

const MAX_LENGTH = 64 * 1024;
const MAX_ALIASES = 200;

/** Reads a file of YAML against its schema. All problems at once, each at its line; never throws. A file without content is `{}`. */
export function loadYaml<T>(source: BlueprintSource, schema: z.ZodType<T>, options: LoadOptions<T> = {}): Loaded<T> {
  const unfit = whyUnfit(source.text);
  if (unfit !== undefined) return { ok: false, problems: [{ file: source.file, line: 1, ...unfit }] };
  const document = readDocument(source);
  if (document.value === undefined || document.problems.length > 0) return { ok: false, problems: document.problems };
  const read = schema.safeParse(document.value ?? {});
  const problems = read.success
    ? (options.rules?.(read.data, document) ?? [])
    : inOrder(withAnswers(problemsOf(document, [], schema, read.error.issues), document, options.refused));
  return read.success && problems.length === 0 ? { ok: true, value: read.data } : { ok: false, problems };
}

/** Texts that cost more to read as YAML than they can be worth. */
function whyUnfit(text: string): { message: string; hint: string } | undefined {
  if (text.length > MAX_LENGTH) {
    return {
      message: `the file is larger than ${MAX_LENGTH / 1024} KiB`,
      hint: 'A configuration is a few dozen lines.',
    };
  }
  if (text.includes('\0')) return { message: 'the file is not text in UTF-8', hint: 'Save it as UTF-8.' };
  if ((text.match(/(?:^|[\s,[{])\*[^\s,\]}]/g)?.length ?? 0) > MAX_ALIASES) {
    return { message: `the file has more than ${MAX_ALIASES} aliases`, hint: 'Write the values out.' };
  }
  return undefined;
}

/** Replaces the problem at each refused key by the answer to it. */
function withAnswers(
  problems: readonly Problem[],
  document: SourceDocument,
  refused: LoadOptions<unknown>['refused'] = new Map(),
): Problem[] {
  const root = document.value;
  const answers = [...refused]
    .filter(([key]) => typeof root === 'object' && root !== null && Object.hasOwn(root, key))
    .map(([key, { message, hint }]) => document.problem([key], message, hint, 'key'));
  const answered = new Set(answers.map((answer) => placeOf(answer)));
  return [...answers, ...problems.filter((problem) => !answered.has(placeOf(problem)))];
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || (a.column ?? 0) - (b.column ?? 0));
}

function placeOf(problem: Problem): string {
  return `${problem.line}:${problem.column}`;
}
