import { git, splitNul } from './git.ts';

export interface Gitlink {
  /** One character per byte, so that no name is lost in decoding. */
  readonly path: string;
  /** The commit that it names, of another repository. */
  readonly commit: string;
}

/** The places of a commit or tree where other repositories are mounted, at any depth. */
export async function gitlinksAt(gitDir: string, treeish: string): Promise<Gitlink[]> {
  const output = await git(['ls-tree', '-r', '-z', '--full-tree', treeish], { gitDir });
  return splitNul(output.toString('latin1'))
    .filter((entry) => entry.startsWith('160000 '))
    .map((entry) => ({ path: entry.slice(entry.indexOf('\t') + 1), commit: entry.split(/[ \t]/, 3)[2] ?? '' }));
}
