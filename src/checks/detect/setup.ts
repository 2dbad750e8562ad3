import type { ReadFile } from '../detect.ts';
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
    notes: unlocked ? ['package.json names dependencies but there is no lock file, so nothing installs them: declare `setup:`'] : [],
  };
}

function installing(manager: PackageManager, read: ReadFile): string {
  switch (manager) {
    case 'npm':
      return 'npm ci';
    case 'pnpm':
      return 'pnpm install --frozen-lockfile';
    case 'bun':
      return 'bun install --frozen-lockfile';
    case 'yarn':
      // The first generation of yarn knows no other flag; its lock file says so.
      return /^# yarn lockfile v1$/m.test(read('yarn.lock') ?? '') ? 'yarn install --frozen-lockfile' : 'yarn install --immutable';
  }
}
