const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** `12 MB`; null, which is not known, is a question mark. */
export function bytesText(bytes: number | null): string {
  if (bytes === null) return '?';
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const amount = bytes / 1000 ** power;
  return `${amount < 10 && power > 0 ? amount.toFixed(1) : Math.round(amount)} ${UNITS[power] ?? 'B'}`;
}
