import { CHECK_KINDS } from '../domain/node-kind.ts';

/** What a node's `check:` means in a repository. */
export interface Selection<Check> {
  /** Quick ones first, each once. */
  readonly checks: readonly Check[];
  /** Asked for by kind, or as `all`, where the repository has none. */
  readonly missing: readonly string[];
  /** Neither a check nor a kind; a blueprint that says so is not loaded. */
  readonly unknown: readonly string[];
}

const ALL = 'all';
const ORDER = ['format', 'lint', 'typecheck', 'build', 'test'];

/** A word is the name of a check, else a kind (all checks of it), or `all`. */
export function selectChecks<Check extends { readonly name: string; readonly kind: string }>(
  wanted: string | readonly string[],
  checks: readonly Check[],
): Selection<Check> {
  const words = typeof wanted === 'string' ? [wanted] : wanted;
  const meant = words.map((word) => ({ word, found: meaning(word, checks) }));
  const nowhere = [...new Set(meant.filter(({ found }) => found.length === 0).map(({ word }) => word))];
  const isKind = (word: string) => word === ALL || CHECK_KINDS.includes(word);
  return {
    checks: inOrder([...new Set(meant.flatMap(({ found }) => found))], checks),
    missing: nowhere.filter((word) => isKind(word)),
    unknown: nowhere.filter((word) => !isKind(word)),
  };
}

function meaning<Check extends { readonly name: string; readonly kind: string }>(
  word: string,
  checks: readonly Check[],
): Check[] {
  if (word === ALL) return [...checks];
  const named = checks.filter(({ name }) => name === word);
  return named.length > 0 ? named : checks.filter(({ kind }) => kind === word);
}

/** By kind, then as declared. */
function inOrder<Check extends { readonly kind: string }>(
  chosen: readonly Check[],
  declared: readonly Check[],
): Check[] {
  const rank = ({ kind }: Check) => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);
  return chosen.toSorted((a, b) => rank(a) - rank(b) || declared.indexOf(a) - declared.indexOf(b));
}
