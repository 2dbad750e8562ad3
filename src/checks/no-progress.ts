import type { CheckItem } from '../domain/evidence.ts';
import type { EarlierVerdict } from '../ports/node.ts';
import { withoutTimes } from './without-times.ts';

/**
 * Why the fixing of what checks found gets no further, in one sentence for a person; undefined while it may. Either the files are again what
 * they were when the same check failed on an earlier commit, or all that fails has failed `repeats` times in a row with the very same
 * findings, on as many different trees. `verdicts` are in order and end with those on `commit`.
 */
export function noProgress(
  verdicts: readonly EarlierVerdict[],
  { commit, repeats }: { readonly commit: string; readonly repeats: number },
): string | undefined {
  const failing = verdicts.filter((verdict) => verdict.commit === commit && failed(verdict));
  for (const now of failing) {
    const before = verdicts.find((earlier) => isSameTree(earlier, now));
    if (before !== undefined) return backAgain(before, now);
  }
  const rows = failing.map((now) => alikeUpTo(now, verdicts));
  const [first] = rows;
  return first !== undefined && rows.every((row) => row.length >= repeats) ? alikeAgain(first) : undefined;
}

function failed({ verdict }: EarlierVerdict): boolean {
  return verdict === 'fail' || verdict === 'timeout';
}

function isSameTree(earlier: EarlierVerdict, now: EarlierVerdict): boolean {
  const isOther = earlier.commit !== now.commit && earlier.workedSince;
  return isOther && earlier.name === now.name && earlier.tree === now.tree && failed(earlier);
}

/** The verdicts of one check up to this one that failed alike, one for each tree, oldest first. */
function alikeUpTo(now: EarlierVerdict, verdicts: readonly EarlierVerdict[]): EarlierVerdict[] {
  const own = verdicts.filter(({ name }) => name === now.name);
  const other = own.findLastIndex((verdict) => !failed(verdict) || findingsOf(verdict) !== findingsOf(now));
  const alike = own.slice(other + 1);
  return alike.filter((verdict, index) => alike.findIndex(({ tree }) => tree === verdict.tree) === index);
}

/** Lines move when something else is edited, so places count by file alone; without items, the report counts but for its durations. */
function findingsOf({ items, report }: EarlierVerdict): string {
  if (items.length === 0) return withoutTimes(report);
  return JSON.stringify(items.map(({ file, rule, message }) => JSON.stringify([file, rule, message])).sort());
}

function backAgain(before: EarlierVerdict, now: EarlierVerdict): string {
  return `The fixes go round in circles: ${now.name} failed at commit ${short(before.commit)} (${time(before.at)}), and after more work the files are the same again and it failed again, at commit ${short(now.commit)} (${time(now.at)})${shownItem(now.items)}`;
}

function alikeAgain(alike: readonly EarlierVerdict[]): string {
  const [first, last] = [alike[0], alike.at(-1)];
  if (first === undefined || last === undefined) return '';
  return `The fixes get no further: ${last.name} failed ${alike.length} times in a row with the same findings, first at commit ${short(first.commit)} (${time(first.at)}), last at commit ${short(last.commit)} (${time(last.at)})${shownItem(last.items)}`;
}

function shownItem([item]: readonly CheckItem[]): string {
  if (item === undefined) return '.';
  const place = [item.file, item.line].filter((part) => part !== undefined).join(':');
  return `: ${[place, item.message.slice(0, 200)].filter((part) => part !== '').join(' ')}`;
}

const short = (commit: string) => commit.slice(0, 10);

const time = (at: number) => `${new Date(at).toISOString().slice(11, 19)} UTC`;
