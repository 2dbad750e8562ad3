import type { Row } from './import-table.ts';

export interface SeenRow {
  readonly row: Row;
  readonly files: number;
  readonly against: readonly { readonly message: string }[];
}

/** The table for a person: row, what it may import, how much was seen, and what stands against it. */
export function tableLines(seen: readonly SeenRow[]): string[] {
  const width = (column: (one: SeenRow) => string) => Math.max(...seen.map((one) => column(one).length));
  const folder = width(({ row }) => row.folder);
  const may = width(({ row }) => row.text);
  const head = ['folder'.padEnd(folder), 'may import'.padEnd(may), 'files'.padStart(5), 'against'.padStart(7)].join(
    '  ',
  );
  const lines = seen.flatMap(({ row, files, against }) => [
    [
      row.folder.padEnd(folder),
      row.text.padEnd(may),
      String(files).padStart(5),
      String(against.length).padStart(7),
    ].join('  '),
    ...against.map(({ message }) => `    ${message}`),
  ]);
  return [head, ...lines];
}
