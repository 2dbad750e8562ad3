import { stripVTControlCharacters } from 'node:util';

// Text of agents, tools and repositories may hold anything. What goes to a terminal goes through here first: escape sequences could
// rewrite the screen or the clipboard, bidirectional controls could show code in an order that it does not have.

/** The text without escape sequences, control characters and bidirectional controls; line breaks and tabs stay. */
export function printable(text: string): string {
  return stripVTControlCharacters(text.toWellFormed())
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(/[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\u{e0000}-\u{e007f}]/gu, '');
}

/** The same in one line: every run of white space is one blank. */
export function printableLine(text: string): string {
  return printable(text).replace(/\s+/g, ' ').trim();
}

/** JSON in one line that is safe to look at: what a terminal would obey is written as `\u…`, which reads back as the same value. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
