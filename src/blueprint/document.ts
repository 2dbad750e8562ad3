import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type YAMLError,
} from 'yaml';
import { messageOf } from '../lib/error.ts';
import type { Problem } from './problem.ts';

/**
 * YAML text as plain data in which every value knows its line. Only what JSON can hold comes through: text keys, no tags with a
 * meaning of their own, no cycles. Aliases are followed, within a bound on what they expand to.
 */
export interface SourceDocument {
  readonly file: string;
  /** Undefined when the text is not YAML at all. */
  readonly value: unknown;
  /** What was wrong with the text; a document with problems may still have a value to look at. */
  readonly problems: readonly Problem[];
  /** A problem at the value of `path`, or at its key; where there is no such value, at the nearest one that holds it. */
  problem(path: Path, message: string, hint?: string, part?: 'key' | 'value'): Problem;
}

export type Path = readonly (string | number)[];

/** A file of YAML and the name under which problems show it. */
export interface BlueprintSource {
  readonly file: string;
  readonly text: string;
}

/** Longer than any file that people write; the parser's time grows with the square of the number of keys. */
const MAX_LENGTH = 64 * 1024;
/** Counted before parsing, which takes long for many. */
const MAX_ALIASES = 200;
const MAX_VALUES = 20_000;
const MAX_DEPTH = 64;
const MAX_SYNTAX_PROBLEMS = 5;

/** Never throws, whatever the text. */
export function readDocument(source: BlueprintSource): SourceDocument {
  if (source.text.length > MAX_LENGTH) {
    return unreadable(source, `is larger than ${MAX_LENGTH / 1024} KiB`);
  }
  if ((source.text.match(/(?<![^\s[{,:-])\*[^\s*]/g) ?? []).length > MAX_ALIASES) {
    return unreadable(source, `has more than ${MAX_ALIASES} aliases`);
  }
  try {
    const lines = new LineCounter();
    const document = parseDocument(source.text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
    return new Reader(source.file, document, lines).read();
  } catch (error) {
    return unreadable(source, `cannot be read as YAML: ${messageOf(error)}`);
  }
}

function unreadable(source: BlueprintSource, message: string): SourceDocument {
  const problem = { file: source.file, line: 1, message: `the file ${message}` };
  return { file: source.file, value: undefined, problems: [problem], problem: () => problem };
}

interface Place {
  readonly key: number;
  readonly value: number;
}

/** One reading of one document; lives as long as `read`. */
class Reader {
  readonly #file: string;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #places = new Map<string, Place>();
  readonly #problems: Problem[] = [];
  /** The anchored values that the current path is inside of. */
  readonly #open = new Set<unknown>();
  #values = 0;

  constructor(file: string, document: Document.Parsed, lines: LineCounter) {
    this.#file = file;
    this.#document = document;
    this.#lines = lines;
  }

  read(): SourceDocument {
    const errors = [...this.#document.errors, ...this.#document.warnings];
    this.#problems.push(...errors.slice(0, MAX_SYNTAX_PROBLEMS).map((error) => this.#syntaxProblem(error)));
    const fatal = this.#document.errors.some((error) => error.code !== 'DUPLICATE_KEY');
    const value = fatal ? undefined : this.#value(this.#document.contents, [], { key: 0, value: 0 });
    return {
      file: this.#file,
      value,
      problems: this.#problems,
      problem: (path, message, hint, part = 'value') => this.#problem(this.#placeOf(path)[part], message, hint),
    };
  }

  #value(node: unknown, path: Path, place: Place): unknown {
    this.#places.set(JSON.stringify(path), place);
    this.#values += 1;
    if (this.#values > MAX_VALUES || path.length > MAX_DEPTH) return this.#tooMuch(place);
    if (node === null || node === undefined) return null;
    if (isAlias(node)) return this.#aliased(node, path, place);
    if (isScalar(node)) return this.#scalar(node.value, place);
    if (isSeq(node)) return node.items.map((item, index) => this.#value(item, [...path, index], at(item, place)));
    if (isMap(node)) return this.#mapping(node.items, path, place);
    return this.#refuse(place, 'a value of this type has no place here');
  }

  #scalar(value: unknown, place: Place): unknown {
    const plain = value === null || ['string', 'number', 'boolean'].includes(typeof value);
    return plain ? value : this.#refuse(place, 'a value of this type has no place here');
  }

  #mapping(pairs: readonly unknown[], path: Path, place: Place): Record<string, unknown> {
    const mapping: Record<string, unknown> = {};
    for (const pair of pairs.filter((item) => isPair(item))) {
      const name = keyName(pair);
      const start = at(pair.key, place).value;
      if (name === undefined) {
        this.#refuse({ key: start, value: start }, 'a key must be text');
      } else if (name === '__proto__') {
        this.#refuse({ key: start, value: start }, 'a key cannot be named "__proto__"');
      } else {
        const inner = { key: start, value: at(pair.value, { key: start, value: start }).value };
        mapping[name] = this.#value(pair.value, [...path, name], inner);
      }
    }
    return mapping;
  }

  /** What an alias stands for keeps the places where it was written, beside its anchor. */
  #aliased(alias: Alias, path: Path, place: Place): unknown {
    const target = alias.resolve(this.#document);
    if (target === undefined) return this.#refuse(place, `there is no anchor &${alias.source} before this alias`);
    if (this.#open.has(target)) return this.#refuse(place, `the anchor &${alias.source} holds itself`);
    this.#open.add(target);
    const value = this.#value(target, path, place);
    this.#open.delete(target);
    return value;
  }

  /** Said once: what follows would only repeat it. */
  #tooMuch(place: Place): null {
    const message = `the file holds too much: more than ${MAX_VALUES} values with its aliases, or more than ${MAX_DEPTH} levels`;
    if (!this.#problems.some((problem) => problem.message === message)) this.#refuse(place, message);
    return null;
  }

  #refuse(place: Place, message: string): null {
    this.#problems.push(this.#problem(place.value, message));
    return null;
  }

  #syntaxProblem(error: YAMLError): Problem {
    const message = error.code === 'DUPLICATE_KEY' ? 'this key stands here twice' : error.message;
    return this.#problem(error.pos[0], message);
  }

  #problem(offset: number, message: string, hint?: string): Problem {
    const { line, col } = this.#lines.linePos(offset);
    const place = { file: this.#file, line: Math.max(1, line), column: Math.max(1, col), message };
    return hint === undefined ? place : { ...place, hint };
  }

  #placeOf(path: Path): Place {
    for (let length = path.length; length > 0; length -= 1) {
      const place = this.#places.get(JSON.stringify(path.slice(0, length)));
      if (place !== undefined) return place;
    }
    return { key: 0, value: 0 };
  }
}

/** Where a node of the syntax tree starts; empty values have no place of their own. */
function at(node: unknown, otherwise: Place): Place {
  const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined;
  return range ? { key: range[0], value: range[0] } : otherwise;
}

/** Numbers are taken as text, since `1:` is meant so; anything else is no name. */
function keyName(pair: Pair): string | undefined {
  const value: unknown = isScalar(pair.key) ? pair.key.value : pair.key;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
