import type { FoundCheck, ReadFile } from './detect.ts';

const KINDS = [
  { kind: 'format', run: ['format-check', 'check-format', 'fmt-check', 'check-fmt'], fix: ['format', 'fmt'] },
  { kind: 'lint', run: ['lint'], fix: ['lint-fix', 'fix'] },
  { kind: 'typecheck', run: ['typecheck', 'type-check', 'types', 'mypy'], fix: [] },
  { kind: 'test', run: ['test', 'tests', 'check'], fix: [] },
] as const;

/** Targets of a Makefile, or recipes of a justfile, whose names say what they check. */
export function makefileChecks(read: ReadFile): FoundCheck[] {
  for (const [program, paths] of [
    ['make', ['GNUmakefile', 'makefile', 'Makefile']],
    ['just', ['justfile', 'Justfile', '.justfile']],
  ] as const) {
    const text = paths.map((path) => read(path)).find((found) => found !== undefined);
    if (text !== undefined) return fromTargets(program, targetsOf(text));
  }
  return [];
}

function fromTargets(program: string, targets: ReadonlySet<string>): FoundCheck[] {
  return KINDS.flatMap(({ kind, run, fix }) => {
    const target = run.find((name) => targets.has(name));
    if (target === undefined) return [];
    const mending = fix.find((name: string) => targets.has(name));
    return [
      {
        kind,
        from: program,
        run: `${program} ${target}`,
        fix: mending === undefined ? undefined : `${program} ${mending}`,
      },
    ];
  });
}

/** Names before a colon at the start of a line; assignments (`a := b`) and special targets (`.PHONY`) are none. */
function targetsOf(text: string): Set<string> {
  const names = text
    .split('\n')
    .flatMap((line) => /^([A-Za-z0-9_][\w. -]{0,200}?)\s*::?(?!=)/.exec(line.slice(0, 500))?.[1]?.split(/\s+/) ?? []);
  return new Set(names);
}
