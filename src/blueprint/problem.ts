import { listed } from '../lib/listed.ts';

/** One thing wrong with a blueprint, at the place where a person mends it. */
export interface Problem {
  readonly file: string;
  /** From 1, as is `column`. */
  readonly line: number;
  readonly column?: number;
  readonly message: string;
  /** What to do, or what would have been right. */
  readonly hint?: string;
}

/** `file:line:column: message` with the hint on a line of its own. */
export function formatProblem(problem: Problem): string {
  const column = problem.column === undefined ? '' : `:${problem.column}`;
  const hint = problem.hint === undefined ? '' : `\n  ${problem.hint}`;
  return `${problem.file}:${problem.line}${column}: ${problem.message}${hint}`;
}

/** The words quoted and in one line: `"a", "b" and "c"`. */
export function quoted(words: readonly string[]): string {
  return words.length === 0 ? 'none' : listed(words.map((word) => JSON.stringify(word)));
}

/** A hint for a word that is none of `known`: the nearest, if one is near, and the whole list. */
export function known(word: string, words: Iterable<string>): string {
  const all = [...words];
  const list = all.length === 0 ? 'there are none' : `known: ${all.join(', ')}`;
  return [nearMiss(word, all), list].filter((part) => part !== undefined).join(' ');
}

/** Which of the words may have been meant; undefined where none is near. */
export function nearMiss(word: string, words: readonly string[]): string | undefined {
  const nearest = words
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .filter(({ distance }) => distance <= Math.max(1, Math.floor(word.length / 3)))
    .sort((a, b) => a.distance - b.distance)[0];
  return nearest === undefined ? undefined : `did you mean ${JSON.stringify(nearest.candidate)}?`;
}

/** How many letters have to be added, dropped or changed to come from one word to the other. Cut at 40 letters. */
function editDistance(from: string, to: string): number {
  const target = Array.from(to.slice(0, 40));
  let row = Array.from({ length: target.length + 1 }, (_, column) => column);
  for (const [index, letter] of Array.from(from.slice(0, 40)).entries()) {
    const next = [index + 1];
    for (const [column, other] of target.entries()) {
      const changed = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
