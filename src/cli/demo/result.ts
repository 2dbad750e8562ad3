import type { Event } from '../../domain/event.ts';
import { git } from '../../lib/git/git.ts';
import { printable } from '../../lib/printable.ts';
import { shortDuration } from '../render/amount.ts';
import { patchLines } from '../render/diff.ts';
import { paint, type Style } from '../render/style.ts';

export interface Result {
  readonly repository: string;
  readonly base: string;
  readonly merged: { readonly commit: string; readonly tree: string };
  readonly events: readonly Event[];
  readonly style: Style;
}

/** The branch as it now is: its last commits, what changed, and what the checks said about it. Nothing that an agent wrote is executed. */
export async function mergedLines({ repository, base, merged, events, style }: Result): Promise<string[]> {
  const log = await git(['log', '--oneline', '-3', 'main'], { cwd: repository });
  const patch = await git(['diff', '--no-ext-diff', '--no-textconv', base, 'main'], { cwd: repository });
  return [
    paint(style, 'dim', '$ git log --oneline -3'),
    ...printable(log.toString())
      .trimEnd()
      .split('\n')
      .map((line) => `    ${line}`),
    paint(style, 'dim', `$ git diff ${base.slice(0, 7)}`),
    ...patchLines(patch.toString(), style).map((line) => `    ${line}`),
    ...(await verdictLines({ repository, merged, events, style })),
  ];
}

/** The last word of each check, if it was said about the very files that were merged. */
async function verdictLines({ repository, merged, events, style }: Omit<Result, 'base'>): Promise<string[]> {
  const last = new Map(
    events.flatMap((event) => (event.kind === 'check.ended' ? [[event.check, event] as const] : [])),
  );
  const lines = await Promise.all(
    Array.from(last.values(), async ({ check, verdict, commit, durationMs }) => {
      const tree = commit === merged.commit ? merged.tree : await treeOf(repository, commit);
      if (tree !== merged.tree || verdict !== 'pass') return undefined;
      return `${paint(style, 'green', '✓')} ${check} passes on exactly what is now on main (${shortDuration(durationMs)})`;
    }),
  );
  return lines.filter((line) => line !== undefined);
}

/** Undefined where the repository does not have that commit, which then was not merged. */
async function treeOf(repository: string, commit: string): Promise<string | undefined> {
  try {
    return (await git(['rev-parse', '--verify', '--quiet', `${commit}^{tree}`], { cwd: repository })).toString().trim();
  } catch {
    return undefined;
  }
}
