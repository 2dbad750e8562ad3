import { type Format, finding, NOTHING } from './format.ts';

const WITH_BRACKETS = /^\s{0,8}([^():]{1,400})\((\d{1,7})(?:,(\d{1,7}))?\): (?:(error|warning|info) )?(.*)$/;
const TSC_PRETTY = /^([^\s:][^:]{0,399}):(\d{1,7}):(\d{1,7}) - (error|warning) (TS\d+): (.*)$/;

/** `a.ts(1,2): error TS2322: …` and `a.ts:1:2 - error TS2322: …`, as the compilers of TypeScript and .NET write. */
export const compilerBrackets: Format = (paths) => ({
  line: (text) => {
    const pretty = TSC_PRETTY.exec(text);
    const plain = pretty ?? WITH_BRACKETS.exec(text);
    if (plain === null) return undefined;
    const [, path = '', line, column, severity] = plain;
    const file = paths.inside(path.trim());
    if (file === undefined) return undefined;
    const [rule, message] = pretty === null ? leadingCode(plain[5] ?? '') : [pretty[5], pretty[6] ?? ''];
    return [finding({ file, line, column, severity, rule, message })];
  },
});

function leadingCode(text: string): [string | undefined, string] {
  const coded = /^([A-Z]{1,6}\d{1,6}): (.*)$/.exec(text);
  return coded === null ? [undefined, text] : [coded[1], coded[2] ?? ''];
}

const GENERAL =
  /^\s{0,8}(?:vet: )?([^\s:()[\]"'`<>|,;=]{1,400}):(\d{1,7})(?::(\d{1,7}))?(?:-\d{1,7})?(?::| -|(?=\s)) ?(.*)$/;
const SEVERITY = /^\[?(fatal error|error|warning|note|info|help|hint|refactor|convention|style)(?::|\]| -)\s?(.*)$/i;
const SAYS_LITTLE = new Set(['note', 'help', 'hint', 'info']);

/** `file:line[:column]: [severity:] message [rule]`: gcc, clang, go, ruff, flake8, mypy, shellcheck, eslint's unix style, and most others. */
export const fileLineMessage: Format = (paths) => ({
  line: (text) => {
    const [, path = '', line, column, rest = ''] = GENERAL.exec(text) ?? [];
    const file = paths.inside(path);
    if (file === undefined || rest.trim() === '') return undefined;
    const [, severity, said] = SEVERITY.exec(rest.trimStart()) ?? [];
    if (severity !== undefined && SAYS_LITTLE.has(severity.toLowerCase())) return NOTHING;
    const [rule, message] = ruleOf((said ?? rest).trim());
    return [finding({ file, line, column, severity, rule, message })];
  },
});

/** The rule stands in brackets behind (`[arg-type]`, `[Error/no-undef]`, `(errcheck)`) or as a code before (`F401`, `E501`). */
function ruleOf(text: string): [string | undefined, string] {
  const code = /^([A-Z]{1,6}\d{2,6}):? (?:\[\*\] )?(.*)$/.exec(text);
  if (code !== null) return [code[1], code[2] ?? ''];
  const last = text.at(-1);
  const open = last === ']' ? text.lastIndexOf('[') : last === ')' ? text.lastIndexOf(' (') : -1;
  if (open <= 0) return [undefined, text];
  const inside = text.slice(open, -1).replace(/^[ ([-]+/, '');
  if (!/^[A-Za-z@][\w@/.+=-]{1,80}$/.test(inside)) return [undefined, text];
  return [inside.replace(/^(?:Error|Warning)\//, '').replace(/^W(?:error=)?(?=[a-z])/, ''), text.slice(0, open)];
}
