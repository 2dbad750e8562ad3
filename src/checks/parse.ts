import type { CheckItem } from '../domain/evidence.ts';
import { arrows, biomeBlocks, stylishBlocks, unformattedFiles } from './formats/blocks.ts';
import type { Finding, Format } from './formats/format.ts';
import { jest, nodeTest, tap, vitest } from './formats/javascript-tests.ts';
import { compilerBrackets, fileLineMessage } from './formats/locations.ts';
import { cargoTest, goTest, pytest, traceback } from './formats/other-tests.ts';
import { pathsWithin } from './formats/paths.ts';

export const MAX_ITEMS = 50;
const MAX_LINE = 2000;
/** How many lines below a finding its remedy may stand. */
const REMEDY_REACH = 12;

/** The first format that knows a line has it: those that read blocks and tests come before the general one. */
const FORMATS: readonly Format[] = [
  compilerBrackets,
  biomeBlocks,
  arrows,
  unformattedFiles,
  stylishBlocks,
  traceback,
  pytest,
  vitest,
  jest,
  nodeTest,
  tap,
  goTest,
  cargoTest,
  fileLineMessage,
];

/**
 * The findings in a tool's output, whatever the tool: at most 50, errors first, each once, files as paths within the workspace. The
 * text is what `runCommand` gives of a command that ran in the folder `path` of it, free of control characters. Takes time linear in the text.
 */
export function parseItems(text: string, workspaceFolder: string, path = ''): CheckItem[] {
  const paths = pathsWithin(workspaceFolder, path);
  const readers = FORMATS.map((format) => format(paths));
  const found = new Findings();
  for (const [index, whole] of text.split('\n').entries()) {
    const line = whole.slice(0, MAX_LINE).trimEnd();
    const remedy = /^\s{0,12}(?:= )?(?:help|hint|fix|remedy|remediation|suggestion): (\S.*)$/i.exec(line);
    if (remedy !== null) found.remedy(remedy[1] ?? '', index);
    for (const reader of readers) {
      const known = reader.line(line);
      if (known === undefined) continue;
      for (const one of known) found.add(one, index);
      break;
    }
  }
  for (const reader of readers) for (const one of reader.end?.() ?? []) found.add(one, Number.POSITIVE_INFINITY);
  return found.items();
}

class Findings {
  readonly #all = new Map<string, Finding>();
  #last: { key: string; line: number } | undefined;

  add(one: Finding, line: number): void {
    const { rule, file, line: at, column, message } = one.item;
    const key = JSON.stringify([rule, file, at, column, message]);
    if (!this.#all.has(key)) this.#all.set(key, one);
    this.#last = { key, line };
  }

  /** Belongs to the finding just before it. */
  remedy(text: string, line: number): void {
    const last = this.#last;
    const one = last === undefined || line - last.line > REMEDY_REACH ? undefined : this.#all.get(last.key);
    if (last === undefined || one === undefined || one.item.remediation !== undefined) return;
    this.#all.set(last.key, { ...one, item: { ...one.item, remediation: text.slice(0, 500) } });
  }

  items(): CheckItem[] {
    const bySeverity = Map.groupBy(this.#all.values(), ({ severity }) => severity);
    return [...(bySeverity.get('error') ?? []), ...(bySeverity.get('warning') ?? [])]
      .slice(0, MAX_ITEMS)
      .map(({ item }) => item);
  }
}
