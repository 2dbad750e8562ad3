import type { FoundCheck, ReadFile } from './detect.ts';

/** Checks of languages whose tools need no script: what their own configuration shows to be in use. */
export function languageChecks(read: ReadFile): FoundCheck[] {
  return [...python(read), ...rust(read), ...go(read), ...others(read)];
}

function python(read: ReadFile): FoundCheck[] {
  const project = read('pyproject.toml') ?? '';
  const within = pythonRunner(read);
  const found: FoundCheck[] = [];
  const add = (kind: string, run: string, fix?: string) =>
    found.push({ kind, from: 'python', run: within + run, fix: fix === undefined ? undefined : within + fix });
  if (/^\[tool\.ruff\.format\]/m.test(project)) add('format', 'ruff format --check .', 'ruff format .');
  else if (/^\[tool\.black\]/m.test(project)) add('format', 'black --check .', 'black .');
  if (/^\[tool\.ruff\b/m.test(project) || read('ruff.toml') !== undefined)
    add('lint', 'ruff check .', 'ruff check --fix .');
  else if (read('.flake8') !== undefined) add('lint', 'flake8');
  if (/^\[tool\.mypy\]/m.test(project) || read('mypy.ini') !== undefined) add('typecheck', 'mypy .');
  else if (/^\[tool\.pyright\]/m.test(project) || read('pyrightconfig.json') !== undefined) add('typecheck', 'pyright');
  if (usesPytest(read, project)) add('test', within === '' ? 'python3 -m pytest' : 'pytest');
  return found;
}

function usesPytest(read: ReadFile, project: string): boolean {
  if (/^\[tool\.pytest\b/m.test(project) || /^\s*["']?pytest\b/m.test(project)) return true;
  if (/["']pytest(?:[<>=~![ ;].*?)?["']/.test(project)) return true;
  if (['pytest.ini', 'conftest.py', 'tests/conftest.py'].some((path) => read(path) !== undefined)) return true;
  return ['setup.cfg', 'tox.ini'].some((path) => /^\[(?:tool:)?pytest\]/m.test(read(path) ?? ''));
}

/** How a program of the project's own environment is started. */
function pythonRunner(read: ReadFile): string {
  if (read('uv.lock') !== undefined) return 'uv run ';
  if (read('poetry.lock') !== undefined) return 'poetry run ';
  if (read('pdm.lock') !== undefined) return 'pdm run ';
  return read('Pipfile.lock') === undefined ? '' : 'pipenv run ';
}

function rust(read: ReadFile): FoundCheck[] {
  const manifest = read('Cargo.toml');
  if (manifest === undefined) return [];
  const formats = ['rustfmt.toml', '.rustfmt.toml'].some((path) => read(path) !== undefined);
  const lints =
    ['clippy.toml', '.clippy.toml'].some((path) => read(path) !== undefined) ||
    /^\[(?:workspace\.)?lints\.clippy\]/m.test(manifest);
  return [
    ...(formats ? [{ kind: 'format', from: 'rust', run: 'cargo fmt --all --check', fix: 'cargo fmt --all' }] : []),
    ...(lints ? [{ kind: 'lint', from: 'rust', run: 'cargo clippy --all-targets' }] : []),
    { kind: 'typecheck', from: 'rust', run: 'cargo check --all-targets' },
    { kind: 'test', from: 'rust', run: 'cargo test' },
  ];
}

function go(read: ReadFile): FoundCheck[] {
  if (read('go.mod') === undefined) return [];
  const configured = ['.golangci.yml', '.golangci.yaml', '.golangci.toml'].some((path) => read(path) !== undefined);
  const lint = configured ? { run: 'golangci-lint run', fix: 'golangci-lint run --fix' } : { run: 'go vet ./...' };
  return [
    { kind: 'lint', from: 'go', ...lint },
    { kind: 'test', from: 'go', run: 'go test ./...' },
  ];
}

/** A file that shows a language, and how its projects are tested. */
const TESTED_BY = [
  { shows: 'mix.exs', from: 'elixir', run: 'mix test' },
  { shows: '.rspec', from: 'ruby', run: 'bundle exec rspec' },
  { shows: 'gradlew', from: 'java', run: './gradlew test' },
  { shows: 'mvnw', from: 'java', run: './mvnw -q test' },
  { shows: 'pom.xml', from: 'java', run: 'mvn -q test' },
  { shows: 'phpunit.xml.dist', from: 'php', run: 'vendor/bin/phpunit' },
  { shows: 'Package.swift', from: 'swift', run: 'swift test' },
] as const;

function others(read: ReadFile): FoundCheck[] {
  const found = TESTED_BY.filter(({ shows }) => read(shows) !== undefined);
  return found
    .filter(({ from }, index) => found.findIndex((other) => other.from === from) === index)
    .map(({ from, run }) => ({ kind: 'test', from, run }));
}
