import type { Style } from './style.ts';
import { fit, padEnd, widthOf } from './width.ts';

const GAP = 2;

export interface TableOptions {
  /** Columns that give way where the whole is wider than the terminal, one after the other, each with the least that it keeps. */
  readonly shrink: readonly (readonly [column: number, least: number])[];
  /** Colours a cell once its width is settled. */
  readonly paint?: (cell: string, row: number, column: number) => string;
}

/** Rows as lines with aligned columns; what does not fit is cut at the right edge. Cells are printable text in one line. */
export function table(rows: readonly (readonly string[])[], style: Style, options: TableOptions): string[] {
  const widths = columnWidths(rows, style.width, options.shrink);
  return rows.map((row, index) => {
    let left = style.width;
    let line = '';
    for (const [column, cell] of row.entries()) {
      const gap = column === 0 ? 0 : GAP;
      const width = Math.min(widths[column] ?? 0, left - gap);
      if (width < 1) break;
      const last = row.slice(column + 1).every((later) => later === '');
      const text = last ? fit(cell, width) : padEnd(fit(cell, width), width);
      line += ' '.repeat(gap) + (options.paint?.(text, index, column) ?? text);
      if (last) break;
      left -= gap + width;
    }
    return line;
  });
}

function columnWidths(
  rows: readonly (readonly string[])[],
  available: number,
  shrink: TableOptions['shrink'],
): number[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  for (const [column, least] of shrink) {
    const total = widths.reduce((sum, width) => sum + width, 0) + GAP * Math.max(0, columns - 1);
    const width = widths[column] ?? 0;
    if (total > available) widths[column] = Math.max(Math.min(least, width), width - (total - available));
  }
  return widths;
}
