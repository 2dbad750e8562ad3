import { Buffer } from 'node:buffer';

/** Lines of a longer value are secrets themselves when they are at least so long and hold no blank. */
const SHORTEST_LINE = 16;

/**
 * The forms in which programs show a value, each once, none shorter than `shortest`: as it is, base64 (wherever in a longer text it begins),
 * hex, percent-encoded as the usual libraries do it, escaped for JSON once and twice; and the lines of a value that has several.
 */
export function formsOf(value: string, shortest: number): string[] {
  const whole = [...new Set([value, value.trim(), value.replace(/\r?\n/g, '\r\n')])];
  const forms = new Set(whole.flatMap((text) => [text, ...jsonForms(text), ...percentForms(text)]));
  for (const text of whole) for (const form of byteForms(Buffer.from(text))) forms.add(form);
  for (const line of linesOf(value)) forms.add(line);
  return [...forms].filter((form) => form.length >= shortest);
}

function byteForms(bytes: Buffer): string[] {
  const standard = [0, 1, 2].map((before) => base64Within(bytes, before));
  const url = standard.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const hex = bytes.toString('hex');
  return [...standard, ...url, hex, hex.toUpperCase()];
}

/** The characters that the bytes alone decide where `before` others come before them, modulo three. */
function base64Within(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  return text.slice(Math.ceil((8 * before) / 6), Math.floor((8 * (before + bytes.length)) / 6));
}

function jsonForms(text: string): string[] {
  const once = escapedForJson(text);
  const forms = [once, once.replaceAll('/', String.raw`\/`), ascii(once), htmlSafe(once)];
  return [...forms, ...forms.map((form) => escapedForJson(form))];
}

const escapedForJson = (text: string): string => JSON.stringify(text).slice(1, -1);

const unicode = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** As Python writes it. */
const ascii = (text: string): string => text.replace(/[^\0-\x7f]/g, unicode);

/** As Go writes it. */
const htmlSafe = (text: string): string => text.replace(/[<>&\u2028\u2029]/g, unicode);

/** Which characters stay as they are in each way of percent-encoding. */
const UNRESERVED: readonly RegExp[] = [
  /[A-Za-z0-9_.!~*'()-]/, // encodeURIComponent
  /[A-Za-z0-9_.~-]/, // RFC 3986
  /[A-Za-z0-9_.~/-]/, // Python's quote
  /[A-Za-z0-9_.*-]/, // forms
  /[A-Za-z0-9_.!~*'();/?:@&=+$,#-]/, // encodeURI
  /[A-Za-z0-9]/,
  /(?!)/, // every byte
];

function percentForms(text: string): string[] {
  const bytes = [...Buffer.from(text)];
  const forms = UNRESERVED.flatMap((kept) => {
    const encoded = (write: (hex: string) => string) =>
      bytes
        .map((byte) => {
          const character = String.fromCharCode(byte);
          return byte < 0x80 && kept.test(character) ? character : `%${write(byte.toString(16).padStart(2, '0'))}`;
        })
        .join('');
    return [encoded((hex) => hex.toUpperCase()), encoded((hex) => hex)];
  });
  return [...forms, ...forms.map((form) => form.replaceAll('%20', '+'))];
}

/** Breaks that were escaped count as well, as in a key that is part of a JSON file. What stands round every key is no secret. */
function linesOf(value: string): string[] {
  const lines = value.split(/\r?\n|\\n/).map((line) => line.trim());
  if (lines.length === 1) return [];
  return lines.filter((line) => line.length >= SHORTEST_LINE && !/\s/.test(line));
}
