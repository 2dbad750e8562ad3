/** Rows as RFC 4180 has them: lines end in CR LF, fields with commas, quotes or line breaks stand in quotes. */
export function csv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.map((cell) => field(String(cell))).join(',')}\r\n`).join('');
}

function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
