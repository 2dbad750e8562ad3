/** What of a Dockerfile decides whether it may be built. */
export interface ReadDockerfile {
  /** Images that it begins with or copies from, each once. */
  readonly bases: readonly string[];
  /** Why it cannot be built here, one sentence each. */
  readonly problems: readonly string[];
}

/**
 * Reads a Dockerfile as far as it reaches beyond its own build: images, and what engines do in its name outside of the build's containers.
 * Forms that could be read in two ways are problems, so nothing is overlooked that an engine would heed.
 */
export function readDockerfile(text: string, args: Readonly<Record<string, string>> = {}): ReadDockerfile {
  const lines = joined(text);
  const read: Reading = {
    problems: refusedForms(text, lines),
    values: new Map(),
    stages: new Set(),
    bases: new Set(),
    begun: 0,
  };
  for (const line of lines) {
    const { instruction, rest } = split(line);
    if (instruction === 'ARG' && read.begun === 0) declare(read.values, rest, args);
    if (instruction === 'FROM') begin(read, rest);
    if (instruction === 'COPY') copy(read, rest);
  }
  if (read.begun === 0) read.problems.push('It has no FROM.');
  return { bases: [...read.bases], problems: read.problems };
}

interface Reading {
  readonly problems: string[];
  /** Of arguments, as far as they are known before the build. */
  readonly values: Map<string, string>;
  /** By number and by name. */
  readonly stages: Set<string>;
  readonly bases: Set<string>;
  begun: number;
}

function begin(read: Reading, rest: string): void {
  const from = readFrom(rest, read.values);
  if (from === undefined) read.problems.push(`FROM ${rest}: which image that is cannot be told.`);
  else if (!read.stages.has(from.image.toLowerCase()) && from.image !== 'scratch') read.bases.add(from.image);
  read.stages.add(String(read.begun++));
  if (from?.stage !== undefined) read.stages.add(from.stage);
}

function copy({ stages, bases, problems }: Reading, rest: string): void {
  for (const [, image = ''] of rest.matchAll(/(?:^|\s)--from=(\S*)/g)) {
    if (/[$"']/.test(image)) problems.push(`COPY ${rest}: which image that is cannot be told.`);
    else if (!stages.has(image.toLowerCase())) bases.add(image);
  }
}

function split(line: string): { readonly instruction: string; readonly rest: string } {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
  return { instruction: word.toUpperCase(), rest };
}

/** Instructions, each on one line: without comments, and with the lines that go on put together as engines do. */
function joined(text: string): string[] {
  const lines: string[] = [];
  let open = '';
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(#|$)/.test(line)) continue;
    const goesOn = /\\[ \t]*$/.test(line);
    open += goesOn ? line.replace(/\\[ \t]*$/, '') : line;
    if (goesOn) continue;
    lines.push(open.trim());
    open = '';
  }
  return open.trim() === '' ? lines : [...lines, open.trim()];
}

function refusedForms(text: string, lines: readonly string[]): string[] {
  const found: string[] = [];
  if (/^\s*#\s*(syntax|escape)\s*=/im.test(text))
    found.push('A line `# syntax=` or `# escape=` is not allowed: it changes what the rest means.');
  if (/\r(?!\n)|[\v\f\u0085]|[^\S\r\n\t ]/.test(text))
    found.push('It holds spaces or line ends of a kind that engines read differently.');
  for (const line of lines) {
    const what = whatIsWrong(line);
    if (what !== undefined) found.push(`${line.split('\n')[0]?.slice(0, 120)}: ${what}.`);
  }
  return found;
}

function whatIsWrong(line: string): string | undefined {
  const { instruction, rest } = split(line);
  if (PLAIN.has(instruction)) return undefined;
  const rules = RULES[instruction];
  if (rules === undefined) return 'this instruction is not allowed';
  return rules.find(([form]) => form.test(rest))?.[1];
}

const PLAIN: ReadonlySet<string> = new Set(
  'FROM ARG CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL MAINTAINER SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(' '),
);

const HERE_DOCUMENT = [/<</, 'here-documents are not allowed: write the lines with && between them'] as const;

/** What these may not have, and why. */
const RULES: Readonly<Record<string, readonly (readonly [RegExp, string])[]>> = {
  RUN: [
    [/^\s*--/, 'options of RUN are not allowed: with mounts of the build hostile ones have left it before'],
    HERE_DOCUMENT,
  ],
  ADD: [
    [
      /:\/\/|git@|\.git(?:[#\s"]|$)|\$|^\s*--/,
      'ADD may only name files of the repository: the engine itself would fetch what it names',
    ],
    HERE_DOCUMENT,
  ],
  COPY: [
    [/(?:^|\s)--(?!(?:from|chown|chmod)=)/, 'options of COPY other than --from, --chown and --chmod are not allowed'],
    HERE_DOCUMENT,
  ],
};

function declare(values: Map<string, string>, written: string, args: Readonly<Record<string, string>>): void {
  const [, name = '', value] = /^([A-Za-z_]\w*)(?:=(.*))?$/s.exec(written.trim()) ?? [];
  const given = args[name] ?? value?.replace(/^(["'])(.*)\1$/, '$2');
  if (given !== undefined && /^[\w.:/@-]*$/.test(given)) values.set(name, given);
}

/** `FROM [--platform=…] IMAGE [AS STAGE]`; undefined where it holds what only an engine could fill in. */
function readFrom(
  written: string,
  values: ReadonlyMap<string, string>,
): { readonly image: string; readonly stage?: string } | undefined {
  const [, image = '', stage] = /^(?:--platform=[\w/.-]+\s+)?(\S+)(?:\s+as\s+([\w.-]+))?$/i.exec(written.trim()) ?? [];
  let isKnown = true;
  const filled = image.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, plain?: string) => {
    const value = values.get(braced ?? plain ?? '');
    if (value === undefined) isKnown = false;
    return value ?? '';
  });
  if (!isKnown || !/^[A-Za-z0-9][\w.:/@-]*$/.test(filled)) return undefined;
  const isStage = stage === undefined ? {} : { stage: stage.toLowerCase() };
  return { image: filled, ...isStage };
}
