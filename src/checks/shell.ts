/** The words as one piece of a command line of sh: each arrives as it is, whatever it holds. */
export function shellQuote(words: readonly string[]): string {
  return words
    .map((word) => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
