import { type Token, tokensOf } from './tokens.ts';

/** One file of the project, as far as the rules of the architecture look at it. */
export interface SourceFile {
  /** Relative to the project, with slashes: `src/engine/settle.ts`. */
  readonly path: string;
  readonly lines: number;
  readonly tokens: readonly Token[];
  readonly imports: readonly Import[];
  /** Whether it holds nothing but imports and re-exports. */
  readonly isBarrel: boolean;
}

/** Static, dynamic and type-only imports, re-exports, `import('…')` as a type, `require('…')`. */
export interface Import {
  /** Undefined where the module is not named by a plain string. */
  readonly specifier: string | undefined;
  readonly kind: 'import' | 're-export' | 'dynamic';
  readonly line: number;
}

export function readSource(path: string, text: string): SourceFile {
  const tokens = tokensOf(text);
  const statements = statementsOf(tokens);
  const inside = new Set(statements.flatMap(({ from, to }) => range(from, to)));
  const others = tokens.filter((token, index) => !inside.has(index) && token.text !== ';');
  return {
    path,
    lines: text === '' ? 0 : text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    tokens,
    imports: statements.flatMap(({ found }) => found ?? []),
    isBarrel: others.length === 0 && statements.some(({ found }) => found?.kind !== 'import'),
  };
}

/** Tokens `from` to `to` (without it) that import or re-export something; an `export { … }` of what was imported finds nothing. */
interface Statement {
  readonly from: number;
  readonly to: number;
  readonly found?: Import;
}

function statementsOf(tokens: readonly Token[]): Statement[] {
  const statements: Statement[] = [];
  for (let index = 0; index < tokens.length; ) {
    const statement = statementAt(tokens, index);
    if (statement !== undefined) statements.push(statement);
    index = Math.max(index + 1, statement?.to ?? 0);
  }
  return statements;
}

function statementAt(tokens: readonly Token[], index: number): Statement | undefined {
  const token = tokens[index];
  if (token?.kind !== 'word' || isProperty(tokens, index)) return undefined;
  if (token.text === 'require') return called(tokens, index);
  if (token.text === 'import')
    return textAt(tokens, index + 1) === '(' ? called(tokens, index) : imported(tokens, index);
  return token.text === 'export' ? exported(tokens, index) : undefined;
}

/** `x.import`, `{ import: … }`, `import.meta`: not the statement. */
function isProperty(tokens: readonly Token[], index: number): boolean {
  const [before, after] = [textAt(tokens, index - 1), textAt(tokens, index + 1)];
  return before === '.' || after === ':' || after === '.';
}

function called(tokens: readonly Token[], index: number): Statement | undefined {
  if (textAt(tokens, index + 1) !== '(') return undefined;
  const argument = tokens[index + 2];
  const specifier = argument?.kind === 'string' ? argument.text : undefined;
  return { from: index, to: index + 3, found: { specifier, kind: 'dynamic', line: lineAt(tokens, index) } };
}

function imported(tokens: readonly Token[], index: number): Statement | undefined {
  const first = tokens[index + 1];
  const end = first?.kind === 'string' ? index + 1 : sourceAfter(tokens, index + 1);
  return end === undefined ? undefined : statement(tokens, { from: index, end, kind: 'import' });
}

function exported(tokens: readonly Token[], index: number): Statement | undefined {
  const start = textAt(tokens, index + 1) === 'type' ? index + 2 : index + 1;
  const opening = textAt(tokens, start);
  if (opening !== '{' && opening !== '*') return undefined;
  const end = sourceAfter(tokens, start);
  if (end !== undefined) return statement(tokens, { from: index, end, kind: 're-export' });
  const close = tokens.findIndex((token, at) => at > start && token.kind === 'punctuation' && token.text === '}');
  return opening === '{' ? { from: index, to: close + 1 } : undefined;
}

/** Where the module of an import clause is named: behind `from`, with nothing but names, commas and braces before it. */
function sourceAfter(tokens: readonly Token[], start: number): number | undefined {
  for (let index = start; isClause(tokens[index]); index++) {
    const next = textAt(tokens, index + 1);
    if (textAt(tokens, index) === 'from' && tokens[index + 1]?.kind === 'string') return index + 1;
    if (textAt(tokens, index) === '}' && next !== 'from') return undefined;
  }
  return undefined;
}

function isClause(token: Token | undefined): boolean {
  return token?.kind === 'word' || token?.kind === 'string' || (token !== undefined && /^[{},*]$/.test(token.text));
}

function statement(
  tokens: readonly Token[],
  { from, end, kind }: { from: number; end: number; kind: Import['kind'] },
): Statement {
  const withAttributes = textAt(tokens, end + 1) === 'with' && textAt(tokens, end + 2) === '{';
  const to = withAttributes ? tokens.findIndex((token, at) => at > end && token.text === '}') : end;
  return { from, to: to + 1, found: { specifier: tokens[end]?.text, kind, line: lineAt(tokens, from) } };
}

function textAt(tokens: readonly Token[], index: number): string | undefined {
  const token = tokens[index];
  return token?.kind === 'word' || token?.kind === 'punctuation' ? token.text : undefined;
}

function lineAt(tokens: readonly Token[], index: number): number {
  return tokens[index]?.line ?? 0;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, offset) => from + offset);
}
