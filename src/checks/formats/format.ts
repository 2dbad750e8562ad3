import type { CheckItem } from '../../domain/evidence.ts';

/** What a tool found, before the worst come first. */
export interface Finding {
  readonly item: CheckItem;
  readonly severity: 'error' | 'warning';
}

/**
 * Reads one tool's output line by line. `line` answers with findings, with an empty list for a line that belongs to the format but
 * says nothing by itself, or with undefined for a line that another format may know. Never throws; work per line is linear in it.
 */
export interface Reader {
  line(text: string): readonly Finding[] | undefined;
  /** What was still waiting for its last line. */
  end?(): readonly Finding[];
}

export type Format = (paths: Paths) => Reader;

/** The workspace as the formats see it. */
export interface Paths {
  /** The path within the workspace of what looks like a file in it; undefined for anything else. */
  inside(text: string): string | undefined;
  /** The same without files of installed dependencies, for the frames of a stack. */
  own(text: string): string | undefined;
}

export const NOTHING: readonly Finding[] = [];

/** A finding with only the fields that are known. `line` and `column` may be texts of digits. */
export function finding(facts: {
  file?: string | undefined;
  line?: string | number | undefined;
  column?: string | number | undefined;
  rule?: string | undefined;
  message: string;
  severity?: string | undefined;
}): Finding {
  const line = wholeNumber(facts.line);
  const column = line === undefined ? undefined : wholeNumber(facts.column);
  const rule = facts.rule?.trim().slice(0, 100);
  return {
    severity: facts.severity?.toLowerCase().startsWith('warn') === true ? 'warning' : 'error',
    item: {
      ...(rule === undefined || rule === '' ? {} : { rule }),
      ...(facts.file === undefined ? {} : { file: facts.file }),
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
      message: facts.message.trim().slice(0, 500) || 'no message',
    },
  };
}

/** Lines and columns count from 1; some tools say 0 for the whole file. */
function wholeNumber(value: string | number | undefined): number | undefined {
  const number = Number(value);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
