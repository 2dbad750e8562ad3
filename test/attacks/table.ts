import { type Canary, isTaken } from './attack.ts';
import { isAsExpected, type Played } from './play.ts';

/** What became of an attack, for a table and for programs. */
export interface Line {
  readonly name: string;
  readonly subject: string;
  /** `known`: it comes through, and that is known; `look`: nothing is as it should be. */
  readonly verdict: 'held' | 'known' | 'skipped' | 'look';
  readonly open?: Canary;
  readonly walled?: Canary;
  readonly twin: { readonly name: string; readonly works: boolean };
  /** Why it was not tried, what is known of it, what went wrong. */
  readonly note?: string;
}

export function lineOf(played: Played): Line {
  const { attack, skipped, open, walled, twin } = played;
  const { name, subject } = attack;
  const verdict = verdictOf(played);
  const note = skipped ?? twin ?? (verdict === 'known' ? attack.known : undefined);
  return {
    name,
    subject,
    verdict,
    ...(open === undefined ? {} : { open }),
    ...(walled === undefined ? {} : { walled }),
    twin: { name: attack.twin.name, works: skipped === undefined && twin === undefined },
    ...(note === undefined ? {} : { note }),
  };
}

function verdictOf(played: Played): Line['verdict'] {
  if (played.skipped !== undefined) return 'skipped';
  if (!isAsExpected(played)) return 'look';
  return played.walled !== undefined && isTaken(played.walled) ? 'known' : 'held';
}

const [NAME, CANARY] = [64, 28];

/** The columns of the table, and a rule below them. */
export function head(level: string): string {
  const names = ['An agent that …'.padEnd(NAME), 'level none'.padEnd(CANARY), `level ${level}`.padEnd(CANARY)];
  const rule = [NAME, CANARY, CANARY, 28].map((width) => '─'.repeat(width)).join('─┼─');
  return `${[...names, 'an honest one, there'].join(' │ ')}\n${rule}\n`;
}

/** One attack. What is too long for its column goes on below it. */
export function row({ name, verdict, open, walled, twin, note }: Line): string {
  const [first = '', ...more] = folded(name, NAME);
  const did = twin.works ? `${twin.name}: works` : verdict === 'skipped' ? '' : `${twin.name}: ${note ?? ''}`;
  const tried = verdict === 'skipped' ? 'not tried' : shown(open);
  const cells = [first.padEnd(NAME), tried.padEnd(CANARY), shown(walled).padEnd(CANARY), did];
  const below = [
    ...more.map((part) => `  ${part}`),
    ...(verdict === 'look' ? ['  ^ LOOK AT THIS'] : []),
    ...(note !== undefined && (verdict === 'known' || verdict === 'skipped')
      ? [`  ${verdict === 'known' ? 'KNOWN' : 'not tried'}: ${note}`]
      : []),
  ];
  return `${[cells.join(' │ ').trimEnd(), ...below].join('\n')}\n`;
}

/** A subject, before its attacks. */
export function title(subject: string): string {
  return `\n${subject}\n`;
}

export interface Counts {
  readonly all: number;
  readonly held: number;
  readonly known: number;
  readonly skipped: number;
  readonly look: number;
}

export function count(lines: readonly Line[]): Counts {
  const of = (verdict: Line['verdict']) => lines.filter((line) => line.verdict === verdict).length;
  return { all: lines.length, held: of('held'), known: of('known'), skipped: of('skipped'), look: of('look') };
}

export function summary({ all, held, known, skipped, look }: Counts): string {
  return `\n${all} attacks: ${held} held off, ${known} known to come through, ${skipped} not tried here, ${look} to look at.\n`;
}

function shown(canary: Canary | undefined): string {
  return canary === undefined ? '' : `${canary.before} → ${canary.after}`.replaceAll(/\s+/g, ' ').trim();
}

/** In lines of words, the first as wide as the column and the others two less. */
function folded(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    const room = lines.length > 1 ? width - 2 : width;
    if (last !== undefined && last.length + 1 + word.length <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
