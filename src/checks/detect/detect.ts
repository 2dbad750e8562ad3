import type { CheckDeclaration } from '../../ports/node.ts';
import { languageChecks } from './languages.ts';
import { makefileChecks } from './makefile.ts';
import { packageScripts } from './package-scripts.ts';
import { detectSetup } from './setup.ts';

/** The text of a file of the repository by its path, or undefined when there is none. */
export type ReadFile = (path: string) => string | undefined;

/** What the files of a repository say about how it is checked and made ready. */
export interface DetectedProject {
  readonly checks: readonly CheckDeclaration[];
  readonly setup?: string;
  /** What was seen and not used, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Reads how a repository is checked off its files: scripts of package.json, targets of a Makefile, and what the configuration of the
 * languages' own tools shows. Only for a repository that does not declare `checks:` itself; an empty declaration is one.
 * Better nothing than a guess: a check that was red before the work began would blame the work.
 */
export function detectProject(read: ReadFile): DetectedProject {
  const scripts = packageScripts(read);
  const targets = makefileChecks(read);
  // A Makefile speaks for the whole repository; package.json only for its own language.
  const languages = languageChecks(read).filter(({ kind }) => !targets.some((target) => target.kind === kind));
  const setup = detectSetup(read);
  return {
    checks: withNamesOfTheirOwn([...scripts.checks, ...targets, ...languages]),
    ...(setup.command === undefined ? {} : { setup: setup.command }),
    notes: [...scripts.notes, ...setup.notes],
  };
}

/** Files of which only their presence counts; they can be large. */
const PRESENCE_ONLY =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|bun\.lockb?|uv\.lock|poetry\.lock|pdm\.lock|Pipfile\.lock|Cargo\.lock|go\.sum|Gemfile\.lock|composer\.lock|mix\.lock)$/;

/**
 * The same where reading takes time: each file is asked for at most once. With `paths` (the files that there are; the topmost folder
 * and `tests/` are enough) nothing else is read, and of lock files nothing at all.
 */
export async function detectChecks(
  read: (path: string) => Promise<string | undefined>,
  paths?: Iterable<string>,
): Promise<DetectedProject> {
  const present = paths === undefined ? undefined : new Set(paths);
  const known = new Map<string, string | undefined>();
  for (;;) {
    const asked = new Set<string>();
    const found = detectProject((path) => {
      if (!known.has(path)) asked.add(path);
      return known.get(path);
    });
    if (asked.size === 0) return found;
    const texts = Array.from(asked, async (path) => {
      if (present?.has(path) === false) return [path, undefined] as const;
      return [path, present !== undefined && PRESENCE_ONLY.test(path) ? '' : await read(path)] as const;
    });
    for (const [path, text] of await Promise.all(texts)) known.set(path, text);
  }
}

/** Found in one place; `from` tells checks of one name apart. */
export interface FoundCheck {
  readonly kind: string;
  readonly run: string;
  readonly fix?: string | undefined;
  readonly from: string;
}

/** The first of a kind has the kind's name, others say where they come from: `test`, `test-python`. */
function withNamesOfTheirOwn(found: readonly FoundCheck[]): CheckDeclaration[] {
  const taken = new Set<string>();
  return found.map(({ kind, run, fix, from }) => {
    const name = taken.has(kind) ? `${kind}-${from}` : kind;
    taken.add(name);
    return { name, run, kind, ...(fix === undefined ? {} : { fix }) };
  });
}
