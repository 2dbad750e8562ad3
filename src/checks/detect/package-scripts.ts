import type { FoundCheck, ReadFile } from './detect.ts';
import { type PackageFile, type PackageManager, packageManagerOf, readPackageFile } from './package-manager.ts';

/** Which scripts are checks of which kind, and which of them mend; the first that exists counts. */
const KINDS = [
  {
    kind: 'format',
    run: ['format:check', 'check:format', 'format-check', 'fmt:check', 'prettier:check', 'format:ci', 'check-format'],
    fix: ['format', 'format:fix', 'format:write', 'fmt', 'prettier', 'prettier:write'],
  },
  {
    kind: 'lint',
    run: ['lint', 'check:lint', 'lint:check', 'eslint'],
    fix: ['lint:fix', 'fix:lint', 'lint-fix', 'fix'],
  },
  {
    kind: 'typecheck',
    run: ['typecheck', 'type-check', 'check:types', 'check-types', 'types:check', 'typecheck:ci', 'tsc'],
    fix: [],
  },
  { kind: 'test', run: ['test:ci', 'test', 'test:unit'], fix: [] },
] as const;

const PLACEHOLDER = /no test specified/i;
const WATCHES = /(?:^|\s)--?watch(?:All)?(?!\S)|(?:^|\s)watch(?:\s|$)/;
const CHECKS_FORMAT = /(?:^|\s)(?:--check|-c|--list-different|-l)(?:\s|$)|biome (?:ci|check|format)(?!.*--write)/;
/** Linters that mend when told so, alone in their script, so that a flag handed on reaches them. */
const FIXING_LINTER = /^(?:eslint|oxlint|stylelint|standard|xo)\b[^&|;<>]*$/;

export function packageScripts(read: ReadFile): { checks: FoundCheck[]; notes: string[] } {
  const file = readPackageFile(read);
  if (file === undefined) return { checks: [], notes: [] };
  if (file === 'invalid')
    return { checks: [], notes: ['package.json is not valid JSON; its scripts were not looked at'] };
  const manager = packageManagerOf(file, read);
  const notes: string[] = [];
  const checks = KINDS.flatMap((candidate) => {
    const name =
      candidate.run.find((script) => isUsable(file, script, notes)) ?? formatThatChecks(candidate.kind, file);
    return name === undefined
      ? []
      : [
          {
            kind: candidate.kind,
            from: 'js',
            run: running(manager, name),
            fix: fixFor(candidate, name, file, manager),
          },
        ];
  });
  return { checks, notes };
}

function isUsable({ scripts }: PackageFile, name: string, notes: string[]): boolean {
  const script = Object.hasOwn(scripts, name) ? scripts[name] : undefined;
  if (script === undefined || script.trim() === '' || PLACEHOLDER.test(script)) return false;
  if (!WATCHES.test(script)) return true;
  notes.push(`the script "${name}" of package.json watches for changes and would never end, so it is no check`);
  return false;
}

/** A script `format` usually writes; it is a check when it says so. */
function formatThatChecks(kind: string, { scripts }: PackageFile): string | undefined {
  if (kind !== 'format' || !Object.hasOwn(scripts, 'format')) return undefined;
  return CHECKS_FORMAT.test(scripts['format'] ?? '') ? 'format' : undefined;
}

function fixFor(
  candidate: (typeof KINDS)[number],
  name: string,
  { scripts }: PackageFile,
  manager: PackageManager,
): string | undefined {
  const script = candidate.fix.find(
    (fix) => fix !== name && Object.hasOwn(scripts, fix) && !CHECKS_FORMAT.test(scripts[fix] ?? ''),
  );
  if (script !== undefined) return running(manager, script);
  const itself = scripts[name] ?? '';
  return candidate.kind === 'lint' && FIXING_LINTER.test(itself) ? running(manager, name, '--fix') : undefined;
}

function running(manager: PackageManager, script: string, flag?: string): string {
  const command = manager === 'npm' && script === 'test' ? 'npm test' : `${manager} run ${script}`;
  if (flag === undefined) return command;
  // npm takes flags for itself unless told otherwise.
  return manager === 'npm' ? `${command} -- ${flag}` : `${command} ${flag}`;
}
