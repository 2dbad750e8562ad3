import type { Row } from './row.ts';

/** The rows as a table for a terminal. */
export function table(name: string, rows: readonly Row[]): string {
  const head = [name, 'unit', 'n', 'median', 'min', 'max', 'floor', 'ratio', 'budget'];
  const lines = rows.map((row) => [
    row.name,
    row.unit,
    String(row.n),
    String(row.median),
    String(row.min),
    String(row.max),
    row.floor === undefined ? '' : String(row.floor),
    row.floor === undefined || row.floor === 0 ? '' : (row.median / row.floor).toFixed(2),
    row.budget === undefined ? '' : String(row.budget),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const show = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [show(head), show(widths.map((width) => '-'.repeat(width))), ...lines.map(show)].join('\n');
}
