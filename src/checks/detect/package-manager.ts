import type { ReadFile } from './detect.ts';

export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun';

export interface PackageFile {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: readonly string[];
  readonly packageManager: string | undefined;
}

/** `package.json`, as far as it has the form that npm wants; undefined when there is none, `invalid` when it is not JSON. */
export function readPackageFile(read: ReadFile): PackageFile | 'invalid' | undefined {
  const text = read('package.json');
  if (text === undefined) return undefined;
  try {
    const written: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    const { scripts, dependencies, devDependencies, packageManager } = record(written);
    return {
      scripts: Object.fromEntries(
        Object.entries(record(scripts)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      ),
      dependencies: [...Object.keys(record(dependencies)), ...Object.keys(record(devDependencies))],
      packageManager: typeof packageManager === 'string' ? packageManager : undefined,
    };
  } catch {
    return 'invalid';
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

const LOCK_FILES: readonly (readonly [string, PackageManager])[] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
];

/** By the `packageManager` field, else by the lock file, else npm. */
export function packageManagerOf(file: PackageFile, read: ReadFile): PackageManager {
  const named = /^(npm|pnpm|yarn|bun)@/.exec(file.packageManager ?? '')?.[1];
  return (named as PackageManager | undefined) ?? lockedBy(read) ?? 'npm';
}

/** The package manager whose lock file is there. */
export function lockedBy(read: ReadFile): PackageManager | undefined {
  return LOCK_FILES.find(([path]) => read(path) !== undefined)?.[1];
}
