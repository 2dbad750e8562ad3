import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { type GitOptions, git, splitNul } from '../../../lib/git/git.ts';
import { isAbsent, type RawState } from './raw-states.ts';

export interface Untracked {
  /** Files where one of the same name is to appear. */
  readonly files: readonly string[];
  /** Files where a folder is to appear, and files in a folder where a file is to appear. */
  readonly others: readonly string[];
}

/** Untracked and ignored files at places where `added` paths (one character per byte) are to appear. */
export async function untrackedInTheWay(
  folder: string,
  { added, touched }: { added: readonly string[]; touched: ReadonlyMap<string, RawState> },
  options: GitOptions,
): Promise<Untracked> {
  const files: string[] = [];
  const others = new Set<string>();
  for (const path of added) {
    const above = await fileAbove(folder, path);
    const found = above === undefined ? await at(folder, path) : undefined;
    if (above !== undefined && !leaves(touched.get(above))) others.add(above);
    if (found?.isDirectory() === true) for (const inside of await untrackedWithin(path, options)) others.add(inside);
    else if (found !== undefined) files.push(path);
  }
  return { files, others: [...others] };
}

/** Whether it is tracked, and deleted on the way. */
function leaves(state: RawState | undefined): boolean {
  return state !== undefined && isAbsent(state.after);
}

/** The first part of the path, from above, that is there and no folder. */
async function fileAbove(folder: string, path: string): Promise<string | undefined> {
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
    const above = path.slice(0, end);
    const found = await at(folder, above);
    if (found === undefined) return undefined;
    if (!found.isDirectory()) return above;
  }
  return undefined;
}

async function at(folder: string, path: string): Promise<Stats | undefined> {
  const bytes = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(path, 'latin1')]);
  return lstat(bytes).catch(() => undefined);
}

/** Also the ignored ones: what is nowhere else is worth keeping, whatever its name. */
async function untrackedWithin(path: string, options: GitOptions): Promise<string[]> {
  const within = `:(top,literal)${Buffer.from(path, 'latin1').toString()}`;
  return splitNul((await git(['ls-files', '-z', '--others', '--', within], options)).toString('latin1'));
}
