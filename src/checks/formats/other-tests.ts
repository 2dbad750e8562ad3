import { type Finding, type Format, finding, NOTHING } from './format.ts';

/**
 * pytest: `tests/test_a.py:12: AssertionError` in the body and `FAILED tests/test_a.py::test_x - assert 1 == 2` in the summary are
 * one failure.
 */
export const pytest: Format = (paths) => {
  const places: { file: string; line: string; error: string }[] = [];
  return {
    line: (text) => {
      const [, path = '', line, error] = /^(\S{1,400}?):(\d{1,7}): ([A-Za-z_][\w.]{0,99})$/.exec(text) ?? [];
      const file = path.endsWith('.py') ? paths.own(path) : undefined;
      if (file !== undefined && line !== undefined && error !== undefined) {
        places.push({ file, line, error });
        return NOTHING;
      }
      return summaryLine(text);
    },
    end: () => places.map(({ file, line, error }) => finding({ file, line, message: error })),
  };

  function summaryLine(text: string): readonly Finding[] | undefined {
    const [, verdict, rest = ''] = /^(FAILED|ERROR) (\S.*)$/.exec(text) ?? [];
    if (verdict === undefined) return undefined;
    const [where = '', ...why] = rest.split(' - ');
    const [path = '', ...names] = where.split('::');
    const file = paths.inside(path);
    if (file === undefined) return undefined;
    const found = places.findIndex((place) => place.file === file);
    const line = found === -1 ? undefined : places.splice(found, 1)[0]?.line;
    const name = names.join('::') || (verdict === 'ERROR' ? 'the file could not be loaded' : 'a test');
    return [finding({ file, line, message: why.length === 0 ? `${name} failed` : `${name}: ${why.join(' - ')}` })];
  }
};

/** go test: `--- FAIL: TestX (0.00s)`, then `    a_test.go:12: message`. */
export const goTest: Format = (paths) => {
  let test: string | undefined;
  return {
    line: (text) => {
      const [, name] = /^\s{0,16}--- FAIL: (\S{1,200}) \([\d.]{1,20}s\)$/.exec(text) ?? [];
      if (name !== undefined) {
        const before = close();
        test = name;
        return before;
      }
      if (test === undefined) return undefined;
      const [, path = '', line, message] = /^\s{4,20}(\S{1,400}?_test\.go):(\d{1,7}): (.*)$/.exec(text) ?? [];
      const file = paths.inside(path);
      if (file === undefined || message === undefined) return /^(?:FAIL|ok|PASS|---)/.test(text) ? close() : undefined;
      const found = finding({ file, line, message: `${test}: ${message}` });
      test = undefined;
      return [found];
    },
    end: () => close(),
  };

  function close(): readonly Finding[] {
    const name = test;
    test = undefined;
    return name === undefined ? NOTHING : [finding({ message: `${name} failed` })];
  }
};

/** cargo test: `thread 'module::test' panicked at src/lib.rs:10:5:`, then the message. */
export const cargoTest: Format = (paths) => {
  let open: { name: string; file: string; line: string | undefined; column: string | undefined } | undefined;
  return {
    line: (text) => {
      const [, name = '', path = '', line, column] =
        /^thread '([^']{1,200})'(?: \(\d{1,9}\))? panicked at (\S{1,400}?):(\d{1,7}):(\d{1,7}):$/.exec(text) ?? [];
      const file = paths.own(path);
      if (file !== undefined) {
        open = { name, file, line, column };
        return NOTHING;
      }
      if (open === undefined) return undefined;
      const { name: test, ...place } = open;
      open = undefined;
      return [finding({ ...place, message: `${test}: ${text}` })];
    },
  };
};

/** Python's tracebacks: the last frame that is the workspace's own, and the error. */
export const traceback: Format = (paths) => {
  let frames: { file: string; line: string | undefined }[] | undefined;
  let test: string | undefined;
  return {
    line: (text) => {
      const heading = /^(?:FAIL|ERROR): (\S{1,200} \(\S{1,300}\))$/.exec(text);
      if (heading !== null) test = heading[1];
      if (/^\s{0,8}Traceback \(most recent call last\):$/.test(text)) {
        frames = [];
        return NOTHING;
      }
      const [, path = '', line] = /^\s{0,16}File "([^"]{1,400})", line (\d{1,7})(?:, in .*)?$/.exec(text) ?? [];
      if (line !== undefined) {
        const file = paths.own(path);
        frames ??= [];
        if (file !== undefined) frames.push({ file, line });
        return NOTHING;
      }
      if (frames === undefined || !/^[A-Za-z_][\w.]{0,150}(?:: |$)/.test(text)) return undefined;
      const last = frames.at(-1);
      const message = test === undefined ? text : `${test}: ${text}`;
      frames = undefined;
      test = undefined;
      return last === undefined ? NOTHING : [finding({ ...last, message })];
    },
  };
};
