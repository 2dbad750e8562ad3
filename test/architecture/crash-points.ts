import { posix } from 'node:path';
import type { SourceFile } from './source-file.ts';
import type { Token } from './tokens.ts';

const DEFINITION = 'src/lib/crash-point.ts';

/** A crash point that a file passes: `target-ref` for both of an effect, `target-ref.before` for one. */
export interface PassedCrashPoint {
  readonly name: string;
  readonly path: string;
  readonly line: number;
}

/** Every `between(crashPoint, 'effect', …)` and `crashPoint('effect.before')`; a name that is no plain string is `?`. */
export function crashPointsIn(file: SourceFile): PassedCrashPoint[] {
  if (file.path === DEFINITION) return [];
  const importsBetween = file.imports.some(({ specifier }) => resolved(file.path, specifier) === DEFINITION);
  return file.tokens.flatMap((token, at) => {
    if (token.kind !== 'word' || file.tokens[at + 1]?.text !== '(') return [];
    const argument = token.text === 'between' && importsBetween ? second(file.tokens, at + 2) : undefined;
    const given = /^#?crashPoint$/.test(token.text) ? file.tokens[at + 2] : argument;
    if (given === undefined || given.text === ')') return [];
    return [{ name: given.kind === 'string' ? given.text : '?', path: file.path, line: token.line }];
  });
}

/** The first token of a call's second argument. */
function second(tokens: readonly Token[], start: number): Token | undefined {
  let depth = 0;
  for (let at = start; at < tokens.length; at++) {
    const { kind, text } = tokens[at] ?? { kind: 'word', text: '' };
    if (kind !== 'punctuation') continue;
    if (/[([{]/.test(text)) depth += 1;
    if (/[)\]}]/.test(text)) depth -= 1;
    if (depth < 0) return undefined;
    if (text === ',' && depth === 0) return tokens[at + 1];
  }
  return undefined;
}

function resolved(path: string, specifier: string | undefined): string | undefined {
  return specifier?.startsWith('.') === true ? posix.join(posix.dirname(path), specifier) : undefined;
}

/** What stands against the passages: effects that nothing passes around, and names that are none. */
export function judgeCrashPoints(effects: readonly string[], passed: readonly PassedCrashPoint[]): string[] {
  const names = new Set(passed.map(({ name }) => name));
  const known = new Set(effects.flatMap((effect) => [effect, `${effect}.before`, `${effect}.after`]));
  const isCovered = (effect: string) =>
    names.has(effect) || (names.has(`${effect}.before`) && names.has(`${effect}.after`));
  const missing = effects.filter((effect) => !isCovered(effect));
  const unknown = passed.filter(({ name }) => !known.has(name));
  return [
    ...missing.map(
      (effect) =>
        `${effect}: no code passes its crash points. Put the effect between(crashPoint, '${effect}', …), or take it out of EFFECTS.`,
    ),
    ...unknown.map(({ name, path, line }) =>
      name === '?'
        ? `${path}:${line}: a crash point's name has to be a plain string, so that it can be found.`
        : `${path}:${line}: ${name} is no crash point. Add its effect to EFFECTS in ${DEFINITION}.`,
    ),
  ];
}
