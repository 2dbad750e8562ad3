import { git, runGit, splitNul } from '../../lib/git/git.ts';
import { type ReadRecipe, readRecipe } from './recipe.ts';

const FILES = ['.devcontainer/devcontainer.json', '.devcontainer.json'];
const LARGEST = 256 * 1024;

/**
 * What a repository's development container is made of, as a commit of its owners says: the one that a run began at, never one that an agent
 * has written. Undefined when the commit has no such file.
 */
export async function recipeAt(
  store: string,
  commit: string,
  { workspace }: { workspace: string },
): Promise<ReadRecipe | undefined> {
  for (const file of FILES) {
    const text = await textAt(store, commit, file);
    if (text === undefined) continue;
    if (text.length > LARGEST) return { kind: 'refused', problems: [`${file} is larger than ${LARGEST / 1024} KiB.`] };
    return readRecipe(text, { file, workspace });
  }
  const inner = await named(store, commit);
  if (inner.length === 0) return undefined;
  const problems = [
    `${inner.join(', ')}: several can be chosen from, which runs cannot; put the one for runs at ${FILES[0]}.`,
  ];
  return { kind: 'refused', problems };
}

/** The text of a file of a commit. Regular files only: a link would be its target's name. */
export async function textAt(store: string, commit: string, file: string): Promise<string | undefined> {
  const [entry = ''] = splitNul(await git(['ls-tree', '-z', '--full-tree', commit, '--', file], { gitDir: store }));
  if (!/^100(644|755) blob /.test(entry)) return undefined;
  const { code, stdout } = await runGit(['cat-file', 'blob', `${commit}:${file}`], { gitDir: store });
  return code === 0 ? stdout.toString('utf8') : undefined;
}

async function named(store: string, commit: string): Promise<string[]> {
  const args = ['ls-tree', '-r', '-z', '--name-only', '--full-tree', commit, '--', '.devcontainer/'];
  const paths = splitNul(await git(args, { gitDir: store }));
  return paths.filter((path) => /^\.devcontainer\/[^/]+\/devcontainer\.json$/.test(path));
}
