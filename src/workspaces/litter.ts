import { join } from 'node:path';
import { putOwnFile } from '../lib/own-file.ts';
import { readable } from './raw-differences.ts';
import { runScriptOrThrow } from './sandboxed.ts';
import type { Site } from './site.ts';
import { LITTER } from './tree-scripts.ts';

/** Up to so many files are excluded one by one; above, by folder, or git would compare every path with all of them. */
const MANY = 500;
const NAMED = 5;

/**
 * What setup and copied files left that is no work: untracked files are excluded from all commits, tracked files are put back as they were.
 * Both are said in the notes.
 */
export async function excludeLitter(site: Site): Promise<string[]> {
  const { stdout } = await runScriptOrThrow(site, { name: 'litter', text: LITTER, args: [String(MANY)] });
  const paths = stdout.toString('latin1').split('\0').slice(0, -1);
  const border = paths.indexOf('//');
  const litter = paths.slice(0, border);
  const changed = paths.slice(border + 1);
  const patterns = litter.map((path) => `${excludePattern(path)}\n`).join('');
  await putOwnFile(join(site.layout.git, 'info/exclude'), Buffer.from(patterns, 'latin1'));
  const notes: string[] = [];
  if (litter.length > 0)
    notes.push(`Setup left files that the repository does not ignore; they are kept out of commits: ${named(litter)}.`);
  if (changed.length > 0) notes.push(`Setup changed tracked files; they were put back: ${named(changed)}.`);
  return notes;
}

/** The line of an exclude file that matches this path alone (a line cannot hold a line end, so any character matches that). */
function excludePattern(path: string): string {
  return `/${path.replaceAll(/[\\*?[\] ]/g, '\\$&').replaceAll('\n', '?')}`;
}

function named(paths: readonly string[]): string {
  const more = paths.length - NAMED;
  const names = paths.slice(0, NAMED).map((path) => readable(path));
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}
