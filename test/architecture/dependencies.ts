/** One line of the table in docs/decisions/dependencies.md: a package and the folders of `src/` that may import it. */
export interface Dependency {
  readonly name: string;
  /** Folders below `src/`, or `tests`; empty for a tool that nothing imports. */
  readonly folders: readonly string[];
}

export const TESTS = 'tests';

/** Reads the lines `| \`package\` | \`folder\`, \`folder\` | why | … |`. */
export function readDependencies(markdown: string): Dependency[] {
  return markdown.split('\n').flatMap((line) => {
    const [, name, folders] = /^\| `([^`]+)` \| ([^|]*) \|/.exec(line) ?? [];
    if (name === undefined || folders === undefined) return [];
    return [{ name, folders: Array.from(folders.matchAll(/`([^`]+)`/g), ([, folder = '']) => folder) }];
  });
}

/** `hono/streaming` is of `hono`, `@hono/node-server/x` of `@hono/node-server`. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
