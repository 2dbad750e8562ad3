/**
 * The words of a TypeScript file: enough of the language to find its imports for certain, since comments, strings and templates
 * cannot be mistaken for code. What it cannot read it refuses loudly (`UnreadableSource`), so that no import is ever missed silently.
 */
export interface Token {
  /** `template`: one with a substitution, or a part of one; without any it is a `string`. */
  readonly kind: 'word' | 'number' | 'string' | 'template' | 'regex' | 'punctuation';
  /** Of strings what they hold, as written; of all others the token itself. */
  readonly text: string;
  readonly line: number;
}

export class UnreadableSource extends Error {
  constructor(what: string, line: number) {
    super(`line ${line}: ${what}`);
    this.name = 'UnreadableSource';
  }
}

const IDENTIFIER = /[\p{ID_Start}$_#@][\p{ID_Continue}$]*/uy;
const NUMBER = /\d[\w.]*/y;
const SPACE = /\s+/y;
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '${': '}' };
/** After these words a slash begins a regular expression. */
const BEFORE_REGEX: ReadonlySet<string> = new Set(
  'return typeof instanceof in of new delete void throw case do else yield await'.split(' '),
);

export function tokensOf(text: string): Token[] {
  return new Reader(text).read();
}

class Reader {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  /** Brackets that are open, `${` for the substitutions of templates. */
  readonly #open: { readonly bracket: string; readonly line: number }[] = [];
  /** How many tokens there were when the latest substitution began. */
  #substitution = 0;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Token[] {
    if (this.#text.startsWith('#!')) this.#skipLine();
    while (this.#at < this.#text.length) this.#next();
    const open = this.#open.at(-1);
    if (open !== undefined) throw new UnreadableSource(`${open.bracket} is never closed`, open.line);
    return this.#tokens;
  }

  #next(): void {
    const rest = this.#text.slice(this.#at, this.#at + 2);
    const first = rest.charAt(0);
    if (this.#take(SPACE) !== undefined) return;
    if (rest === '//') return this.#skipLine();
    if (rest === '/*') return this.#skipComment();
    if (first === '"' || first === "'") return this.#string(first);
    if (first === '`') {
      this.#at += 1;
      return this.#template('string');
    }
    if (first === '}' && this.#open.at(-1)?.bracket === '${') {
      this.#open.pop();
      this.#at += 1;
      return this.#template('template');
    }
    if (first === '/' && this.#beginsRegex()) return this.#regex();
    const line = this.#line;
    const word = this.#take(IDENTIFIER);
    if (word !== undefined) return this.#push('word', word, line);
    const number = this.#take(NUMBER);
    if (number !== undefined) return this.#push('number', number, line);
    this.#punctuation(first);
  }

  #punctuation(character: string): void {
    if (Object.hasOwn(CLOSING, character)) this.#open.push({ bracket: character, line: this.#line });
    if (character === ')' || character === ']' || character === '}') {
      const open = this.#open.pop();
      if (open === undefined || CLOSING[open.bracket] !== character) {
        throw new UnreadableSource(`${character} closes nothing`, this.#line);
      }
    }
    this.#push('punctuation', character, this.#line);
    this.#at += 1;
  }

  #string(quote: string): void {
    const start = this.#at + 1;
    for (let at = start; at < this.#text.length; at++) {
      const character = this.#text.charAt(at);
      if (character === '\n') break;
      if (character === '\\') at += 1;
      if (character !== quote) continue;
      this.#push('string', this.#text.slice(start, at), this.#line);
      this.#advanceTo(at + 1);
      return;
    }
    throw new UnreadableSource('a string is never closed', this.#line);
  }

  /** From behind the opening quote or a substitution to the closing quote or the next substitution. */
  #template(kind: 'string' | 'template'): void {
    const line = this.#line;
    const start = this.#at;
    for (let at = start; at < this.#text.length; at++) {
      const character = this.#text.charAt(at);
      if (character === '\\') {
        at += 1;
        continue;
      }
      const substitution = this.#text.startsWith('${', at);
      if (character !== '`' && !substitution) continue;
      const text = this.#text.slice(start, at);
      this.#push(substitution ? 'template' : kind, text, line);
      this.#advanceTo(at + (substitution ? 2 : 1));
      if (!substitution) return;
      this.#open.push({ bracket: '${', line: this.#line });
      this.#substitution = this.#tokens.length;
      return;
    }
    throw new UnreadableSource('a template is never closed', line);
  }

  /** After a value a slash divides, anywhere else it begins a regular expression. */
  #beginsRegex(): boolean {
    const before = this.#tokens.at(-1);
    if (before === undefined || this.#substitution === this.#tokens.length) return true;
    if (before.kind === 'word') return BEFORE_REGEX.has(before.text);
    return before.kind === 'punctuation' && !/[)\]}]/.test(before.text);
  }

  #regex(): void {
    const start = this.#at;
    let inClass = false;
    for (let at = start + 1; at < this.#text.length; at++) {
      const character = this.#text.charAt(at);
      if (character === '\n') break;
      if (character === '\\') at += 1;
      else if (character === '[') inClass = true;
      else if (character === ']') inClass = false;
      else if (character === '/' && !inClass) {
        this.#push('regex', this.#text.slice(start, at + 1), this.#line);
        this.#at = at + 1;
        this.#take(IDENTIFIER);
        return;
      }
    }
    throw new UnreadableSource('a regular expression is never closed', this.#line);
  }

  #skipLine(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#text.length : end;
  }

  #skipComment(): void {
    const end = this.#text.indexOf('*/', this.#at + 2);
    if (end === -1) throw new UnreadableSource('a comment is never closed', this.#line);
    this.#advanceTo(end + 2);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#advanceTo(this.#at + found.length);
    return found;
  }

  #advanceTo(at: number): void {
    for (
      let index = this.#text.indexOf('\n', this.#at);
      index !== -1 && index < at;
      index = this.#text.indexOf('\n', index + 1)
    ) {
      this.#line += 1;
    }
    this.#at = at;
  }

  #push(kind: Token['kind'], text: string, line: number): void {
    this.#tokens.push({ kind, text, line });
  }
}
