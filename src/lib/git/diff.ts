import { git, splitNul } from './git.ts';

/** No programs of anyone's configuration, and the same text everywhere. */
export const PLAIN_DIFF = [
  '--no-ext-diff',
  '--no-textconv',
  '--no-color',
  '--full-index',
  '--src-prefix=a/',
  '--dst-prefix=b/',
];

/** The difference between two commits or trees as a patch, renames followed. */
export async function diffText(gitDir: string, from: string, to: string): Promise<string> {
  return (await git(['diff-tree', '-r', '-p', '-M', ...PLAIN_DIFF, from, to, '--'], { gitDir })).toString();
}

export interface FileStat {
  readonly path: string;
  /** Null for a binary file. */
  readonly added: number | null;
  readonly removed: number | null;
}

/** Lines added and removed per file, in git's order; a rename is one file gone and one come. */
export async function diffStat(gitDir: string, from: string, to: string): Promise<FileStat[]> {
  const output = await git(['diff-tree', '-r', '-z', '--numstat', '--no-renames', ...PLAIN_DIFF, from, to, '--'], {
    gitDir,
  });
  return splitNul(output).map((entry) => {
    const [added = '', removed = ''] = entry.split('\t', 2);
    return { path: entry.slice(added.length + removed.length + 2), added: count(added), removed: count(removed) };
  });
}

function count(field: string): number | null {
  return field === '-' ? null : Number.parseInt(field, 10);
}

/** The paths that differ between two commits or trees, in git's order. */
export async function changedPaths(gitDir: string, from: string, to: string): Promise<string[]> {
  return splitNul(await git(['diff-tree', '-r', '-z', '--name-only', '--no-renames', from, to, '--'], { gitDir }));
}
