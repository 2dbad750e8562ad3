import { type Finding, type Format, finding, NOTHING, type Paths, type Reader } from './format.ts';

/** A failed test whose message and place come on the lines after its name. */
interface Failure {
  readonly name: string;
  readonly file?: string | undefined;
  readonly line?: string | undefined;
  readonly column?: string | undefined;
  message?: string;
}

/** A reader for runners that name a failed test and then explain it. `start` says whether a line begins a failure, or ends the last. */
function failures(paths: Paths, start: (text: string) => Failure | 'over' | undefined): Reader {
  let open: Failure | undefined;
  const close = (place?: Partial<Failure>): readonly Finding[] => {
    if (open === undefined) return NOTHING;
    const { name, message } = open;
    const found = finding({
      ...open,
      ...place,
      message: message === undefined ? `${name} failed` : `${name}: ${message}`,
    });
    open = undefined;
    return [found];
  };
  return {
    line: (text) => {
      const started = start(text);
      if (started !== undefined) {
        const before = close();
        open = started === 'over' ? undefined : started;
        return before;
      }
      if (open === undefined) return undefined;
      const place = frameOf(text, paths);
      if (place !== undefined && open.line === undefined) return close(place);
      if (open.message === undefined && text.trim() !== '') open.message = text.trim();
      return isFrame(text) ? NOTHING : undefined;
    },
    end: () => close(),
  };
}

const FRAME = /^\s{0,16}(?:❯ |at )(?:[^()\n]{0,200}\()?([^\s()]{1,400}?):(\d{1,7}):(\d{1,7})\)?$/;

function isFrame(text: string): boolean {
  return /^\s{0,16}(?:❯|at) /.test(text);
}

/** The place of a stack's frame, if it is one of the workspace's own. */
function frameOf(
  text: string,
  paths: Paths,
): { file: string; line?: string | undefined; column?: string | undefined } | undefined {
  const [, path = '', line, column] = FRAME.exec(text) ?? [];
  const file = paths.own(path);
  return file === undefined ? undefined : { file, line, column };
}

/** vitest: ` FAIL  src/a.test.ts > suite > name`, the error, ` ❯ src/a.test.ts:5:13`. */
export const vitest: Format = (paths) =>
  failures(paths, (text) => {
    const [, project = '', path = '', name] =
      /^ FAIL {2}(\|[^|]{1,80}\| )?(\S{1,400})(?: > (.*)| \[ .* \])?$/.exec(text) ?? [];
    const file = paths.inside(path);
    if (file === undefined) return /^⎯{4,}(?:⎯|\[)/.test(text) ? 'over' : undefined;
    return { name: name ?? `${project}${path}`, file };
  });

/** jest: `  ● suite › name`, the error, `    at … (src/a.test.js:5:15)`. */
export const jest: Format = (paths) =>
  failures(paths, (text) => {
    const [, name] = /^ {2}● (\S.*)$/.exec(text) ?? [];
    if (name === undefined) return /^(?:Test Suites|Tests): /.test(text) ? 'over' : undefined;
    return name.startsWith('Console') ? 'over' : { name };
  });

/** node:test, spec reporter, the section at its end: `test at a.test.ts:5:1`, `✖ name (1.2ms)`, the error. */
export const nodeTest: Format = (paths) => {
  let place: Pick<Failure, 'file' | 'line' | 'column'> | undefined;
  return failures(paths, (text) => {
    const [, path, line, column] = /^test at (\S{1,400}?):(\d{1,7}):(\d{1,7})$/.exec(text) ?? [];
    if (path !== undefined) {
      place = { file: paths.inside(path), line, column };
      return 'over';
    }
    const [, name] = /^\s{0,16}✖ (\S.*?) \([\d.]{1,20}ms\)$/.exec(text.slice(0, 500)) ?? [];
    if (name === undefined || place === undefined) return undefined;
    const failure = { name, ...place };
    place = undefined;
    return failure;
  });
};

/** TAP: `not ok 1 - name`, then a block with `location:` and `error:`. */
export const tap: Format = (paths) => {
  let open: Failure | undefined;
  const close = (): readonly Finding[] => {
    if (open === undefined) return NOTHING;
    const { name, message, ...place } = open;
    open = undefined;
    // A test that only holds failed ones says nothing that those do not say.
    if (/^\d{1,6} subtests? failed$/.test(message ?? '')) return NOTHING;
    return [finding({ ...place, message: message === undefined ? `${name} failed` : `${name}: ${message}` })];
  };
  return {
    line: (text) => {
      const test = /^\s{0,32}(not )?ok \d{1,9}(?: - (.*))?$/.exec(text);
      if (test !== null) {
        const before = close();
        const [, failed, name = 'a test'] = test;
        open = failed === undefined || /# (?:TODO|SKIP)\b/i.test(name) ? undefined : { name };
        return before;
      }
      if (open === undefined) return undefined;
      const [, key, value = ''] = /^\s{1,40}(location|error): (\S.*)$/.exec(text) ?? [];
      if (key === 'error' && open.message === undefined) open.message = unquoted(value);
      if (key === 'location') open = { ...open, ...placeOf(unquoted(value), paths) };
      return /^\s{0,40}\.\.\.$/.test(text) ? close() : NOTHING;
    },
    end: close,
  };
};

function placeOf(text: string, paths: Paths): Pick<Failure, 'file' | 'line' | 'column'> {
  const [, path = '', line, column] = /^(\S{1,400}?):(\d{1,7}):(\d{1,7})$/.exec(text) ?? [];
  const file = paths.inside(path);
  return file === undefined ? {} : { file, line, column };
}

function unquoted(text: string): string {
  return /^(['"]).*\1$/.test(text) ? text.slice(1, -1) : text;
}
