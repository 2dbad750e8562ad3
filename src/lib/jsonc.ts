/** JSON as people write it: with comments, and with a comma after the last value. */
export type Jsonc =
  | { readonly ok: true; readonly value: unknown }
  /** `line` counts from 1; not every mistake has a place. */
  | { readonly ok: false; readonly line: number | undefined; readonly message: string };

/** Reads such a text; a byte order mark at its front is fine. */
export function parseJsonc(text: string): Jsonc {
  const plain = plainJson(text.replace(/^\ufeff/, ''));
  try {
    const value: unknown = JSON.parse(plain);
    return { ok: true, value };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const at = /at position (\d+)/.exec(message)?.[1];
    const line = at === undefined ? undefined : plain.slice(0, Number(at)).split('\n').length;
    const said = message.replace(/ in JSON at position.*$| at position.*$/s, '').replace(/\s+/g, ' ');
    return { ok: false, line, message: said };
  }
}

const TOKENS = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,/g;
const SPACE_OR_COMMENT = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;

/** The same at the same places, with blanks for what JSON does not have. */
function plainJson(text: string): string {
  return text.replace(TOKENS, (token, offset: number) => {
    if (token.startsWith('"')) return token;
    if (token !== ',') return token.replace(/[^\n]/g, ' ');
    SPACE_OR_COMMENT.lastIndex = offset + 1;
    const rest = offset + 1 + (SPACE_OR_COMMENT.exec(text)?.[0].length ?? 0);
    return text[rest] === '}' || text[rest] === ']' ? ' ' : token;
  });
}
