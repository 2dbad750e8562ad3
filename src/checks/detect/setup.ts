import type { ReadFile } from './detect.ts';
import { lockedBy, type PackageManager, readPackageFile } from './package-manager.ts';

/** Installs exactly what the lock file says, and never writes to it. */
const BY_LOCK_FILE = [
  ['uv.lock', 'uv sync --locked'],
  ['poetry.lock', 'poetry install --no-interaction'],
  ['pdm.lock', 'pdm sync'],
  ['Pipfile.lock', 'pipenv sync --dev'],
  ['Cargo.lock', 'cargo fetch --locked'],
  ['go.sum', 'go mod download'],
  ['Gemfile.lock', 'bundle install'],
  ['composer.lock', 'composer install --no-interaction'],
  ['mix.lock', 'mix deps.get --check-locked'],
] as const;

/** How a fresh checkout is made ready, by the lock files that it has. */
export function detectSetup(read: ReadFile): { command: string | undefined; notes: string[] } {
  const commands = BY_LOCK_FILE.filter(([path]) => read(path) !== undefined).map(([, command]) => command as string);
  const manager = lockedBy(read);
  if (manager !== undefined && read('package.json') !== undefined) commands.unshift(installing(manager, read));
  const file = readPackageFile(read);
  const unlocked = manager === undefined && file !== undefined && file !== 'invalid' && file.dependencies.length > 0;
  return {
    command: commands.length === 0 ? undefined : commands.join(' && '),
    notes: unlocked
      ? ['package.json names dependencies but there is no lock file, so nothing installs them: declare `setup:`']
      : [],
  };
}

const INSTALLING: Readonly<Record<PackageManager, string>> = {
  npm: 'npm ci',
  pnpm: 'pnpm install --frozen-lockfile',
  bun: 'bun install --frozen-lockfile',
  yarn: 'yarn install --immutable',
};

function installing(manager: PackageManager, read: ReadFile): string {
  // The first generation of yarn, which its lock file names, has another flag.
  const first = manager === 'yarn' && /^# yarn lockfile v1$/m.test(read('yarn.lock') ?? '');
  return first ? 'yarn install --frozen-lockfile' : INSTALLING[manager];
}
