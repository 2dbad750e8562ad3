import { type Finding, type Format, finding, NOTHING } from './format.ts';

/** eslint's and stylelint's blocks: the file on a line of its own, then `  line:column  severity  message  rule`. */
export const stylishBlocks: Format = (paths) => {
  let file: string | undefined;
  return {
    line: (text) => {
      if (/^\S/.test(text)) {
        file = / {2}|: /.test(text) ? undefined : paths.inside(text);
        return file === undefined ? undefined : NOTHING;
      }
      const [, line, column, severity, rest = ''] =
        /^\s{1,8}(\d{1,7}):(\d{1,7})\s{1,8}(error|warning|✖|⚠|×)\s{1,8}(\S.*)$/.exec(text) ?? [];
      if (file === undefined || line === undefined) return undefined;
      const gap = rest.lastIndexOf('  ');
      const rule = gap === -1 ? undefined : rest.slice(gap).trim();
      const message = gap === -1 ? rest : rest.slice(0, gap);
      return [finding({ file, line, column, severity: severity === '⚠' ? 'warning' : severity, rule, message })];
    },
  };
};

interface Heading {
  readonly severity?: string | undefined;
  readonly rule?: string | undefined;
  readonly message: string;
}

/** How far below its heading a location may stand. */
const REACH = 3;

/**
 * A heading and then an arrow to the place: rustc (`error[E0308]: …` / `--> src/main.rs:4:5`), ruff (`F401 …` / `--> a.py:1:8`), oxlint
 * (`× rule: …` / `╭─[a.ts:1:2]`).
 */
export const arrows: Format = (paths) => {
  let heading: Heading | undefined;
  let age = 0;
  return {
    line: (text) => {
      const place = /^\s{0,12}(?:-->|╭─\[|,-\[)\s?([^\s:\]]{1,400}):(\d{1,7})(?::(\d{1,7}))?/.exec(text);
      if (place !== null) return located(place);
      const found = headingOf(text);
      if (found !== undefined) {
        heading = found;
        age = 0;
      } else if (heading !== undefined && ++age > REACH) {
        heading = undefined;
      }
      return undefined;
    },
  };

  function located([, path = '', line, column]: RegExpExecArray): readonly Finding[] | undefined {
    const file = paths.inside(path);
    if (heading === undefined || file === undefined) return undefined;
    const found = finding({ ...heading, file, line, column });
    heading = undefined;
    return [found];
  }
};

function headingOf(text: string): Heading | undefined {
  const rust = /^(error|warning)(?:\[([A-Za-z0-9_:]{1,80})\])?: (.+)$/.exec(text);
  if (rust !== null) return { severity: rust[1], rule: rust[2], message: rust[3] ?? '' };
  const ruff = /^([A-Z]{1,6}\d{2,6}) (?:\[\*\] )?(\S.*)$/.exec(text);
  if (ruff !== null) return { rule: ruff[1], message: ruff[2] ?? '' };
  const signed = /^\s{0,4}([×✖x!⚠]) (?:([\w@/-]{1,60}\([\w@/.-]{1,80}\)): )?(\S.*)$/.exec(text);
  return signed === null
    ? undefined
    : { severity: '!⚠'.includes(signed[1] ?? '') ? 'warning' : 'error', rule: signed[2], message: signed[3] ?? '' };
}

/** biome: `src/a.ts:3:5 lint/style/useConst  FIXABLE  ━━━━`, then the message behind `×` or `!`. */
export const biomeBlocks: Format = (paths) => {
  let open:
    | { file: string; line?: string | undefined; column?: string | undefined; rule?: string | undefined }
    | undefined;
  return {
    line: (text) => {
      const head = /^(\S{1,400}) ([a-z][\w/-]{1,100})(?: {1,4}FIXABLE)? {1,4}━{3}/.exec(text);
      if (head !== null) {
        const [, path = '', line, column] = /^(.{1,380}?)(?::(\d{1,7}):(\d{1,7}))?$/.exec(head[1] ?? '') ?? [];
        const file = paths.inside(path);
        open = file === undefined ? undefined : { file, line, column, rule: head[2] };
        return file === undefined ? undefined : NOTHING;
      }
      const said = /^\s{1,6}([×✖!]) (\S.*)$/.exec(text);
      if (open === undefined || said === null) return undefined;
      const found = finding({ ...open, message: said[2] ?? '', severity: said[1] === '!' ? 'warning' : 'error' });
      open = undefined;
      return [found];
    },
  };
};

/** Formatters that only name the file: prettier, black, ruff, rustfmt. */
export const unformattedFiles: Format = (paths) => ({
  line: (text) => {
    const said =
      /^\[warn\] (\S.{0,399})$/.exec(text) ??
      /^[Ww]ould reformat:? (\S.{0,399})$/.exec(text) ??
      /^Diff in (\S{1,400}?)(?: at line |:)\d{1,7}:?$/.exec(text);
    const file = said === null ? undefined : paths.inside(said[1] ?? '');
    return file === undefined ? undefined : [finding({ file, message: 'is not formatted' })];
  },
});
