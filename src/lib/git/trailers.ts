/**
 * A commit message with the trailers at its end, like `git interpret-trailers --if-exists addIfDifferent`: they join the block of
 * trailers that is there, else become a paragraph of their own. Those already there with the same value are not repeated.
 */
export function withTrailers(message: string, trailers: Readonly<Record<string, string>>): string {
  const text = message.trimEnd();
  const block = trailerBlock(text);
  const missing = Object.entries(trailers)
    .map(([key, value]) => `${key}: ${value.replaceAll(/\s*\n\s*/g, ' ').trim()}`)
    .filter((line) => !block.some((present) => sameTrailer(present, line)));
  if (missing.length === 0) return `${text}\n`;
  const gap = block.length > 0 ? '\n' : '\n\n';
  return `${text}${gap}${missing.join('\n')}\n`;
}

/** The lines of the last paragraph where that is a block of trailers; the first paragraph is the subject and never one. */
function trailerBlock(text: string): string[] {
  const paragraphs = text.split(/\n[ \t]*\n/);
  const last = paragraphs.length > 1 ? (paragraphs.at(-1) ?? '') : '';
  const lines = last.split('\n').filter((line) => line !== '');
  return lines.length > 0 && lines.every((line, n) => isTrailer(line) || (n > 0 && /^[ \t]/.test(line))) ? lines : [];
}

function isTrailer(line: string): boolean {
  return /^[A-Za-z0-9-]+[ \t]*:/.test(line) || line.startsWith('(cherry picked from commit ');
}

function sameTrailer(a: string, b: string): boolean {
  const normal = (line: string): string =>
    line.replace(/^([^:]*?)\s*:\s*/, (_, key: string) => `${key.toLowerCase()}: `).trim();
  return normal(a) === normal(b);
}
