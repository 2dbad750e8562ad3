import type { Row } from './row.ts';

const COLUMNS = ['unit', 'n', 'median', 'min', 'max', 'floor', 'ratio', 'budget'];

/** The rows as a table for a terminal. */
export function table(name: string, rows: readonly Row[]): string {
  const head = [name, ...COLUMNS];
  const lines = rows.map(cellsOf);
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  return [head, widths.map((width) => '-'.repeat(width)), ...lines].map((cells) => aligned(cells, widths)).join('\n');
}

/** The same line by line, for rows that are shown as they come: columns are as wide as rows usually need. */
export function growingTable(name: string): { readonly head: string; line(row: Row): string } {
  const head = [name, ...COLUMNS];
  const widths = [Math.max(name.length, 31), 4, 3, 8, 8, 8, 8, 6, 8];
  const rule = widths.map((width) => '-'.repeat(width));
  return {
    head: [head, rule].map((cells) => aligned(cells, widths)).join('\n'),
    line: (row) => aligned(cellsOf(row), widths),
  };
}

function cellsOf(row: Row): string[] {
  return [
    row.name,
    row.unit,
    String(row.n),
    String(row.median),
    String(row.min),
    String(row.max),
    row.floor === undefined ? '' : String(row.floor),
    row.floor === undefined || row.floor === 0 ? '' : (row.median / row.floor).toFixed(2),
    row.budget === undefined ? '' : String(row.budget),
  ];
}

function aligned(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
    .join('  ')
    .trimEnd();
}
