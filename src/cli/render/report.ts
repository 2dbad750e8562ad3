import { counted } from '../../lib/counted.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { type Colour, paint, type Style } from './style.ts';
import { padEnd, widthOf, wrap } from './width.ts';

type Level = 'ok' | 'info' | 'warning' | 'problem';

/** What `doctor` found, by section. */
export interface Report {
  readonly ok: boolean;
  readonly sections: readonly {
    readonly title: string;
    readonly rows: readonly {
      readonly level: Level;
      readonly name: string;
      readonly text: string;
      readonly hint?: string;
    }[];
  }[];
}

const LOOKS: Readonly<Record<Level, { readonly symbol: string; readonly colour: Colour }>> = {
  ok: { symbol: '✓', colour: 'green' },
  info: { symbol: 'i', colour: 'dim' },
  warning: { symbol: '!', colour: 'yellow' },
  problem: { symbol: '✗', colour: 'red' },
};

export function reportLines(report: Report, style: Style): string[] {
  const rows = report.sections.flatMap((section) => section.rows);
  const width = Math.max(0, ...rows.map(({ name }) => widthOf(printableLine(name))));
  const sections = report.sections.flatMap(({ title, rows }) => [
    paint(style, 'bold', printableLine(title)),
    ...rows.flatMap(({ level, name, text, hint }) => {
      const { symbol, colour } = LOOKS[level];
      const margin = ' '.repeat(width + 6);
      const room = style.width - margin.length;
      const [first = '', ...more] = linesOf(text, room);
      const hints = hint === undefined ? [] : linesOf(hint, room);
      return [
        `  ${paint(style, colour, symbol)} ${padEnd(printableLine(name), width)}  ${first}`.trimEnd(),
        ...more.map((line) => margin + line),
        ...hints.map((line) => paint(style, 'dim', margin + line)),
      ];
    }),
    '',
  ]);
  const problems = rows.filter(({ level }) => level === 'problem').length;
  const verdict = report.ok
    ? paint(style, 'green', 'No problems.')
    : paint(style, 'red', `${counted(problems, 'problem')}.`);
  return [...sections, verdict];
}

function linesOf(text: string, columns: number): string[] {
  return printable(text)
    .trimEnd()
    .split('\n')
    .flatMap((line) => wrap(line, columns));
}
