import { expect, test } from 'vitest';
import { detectChecks, detectProject } from './detect.ts';

const detect = (files: Record<string, string>) =>
  detectProject((path) => (Object.hasOwn(files, path) ? files[path] : undefined));
const checksOf = (files: Record<string, string>) =>
  detect(files).checks.map(({ name, run, fix }) =>
    fix === undefined ? `${name}: ${run}` : `${name}: ${run} | ${fix}`,
  );
const scripts = (written: Record<string, string>, more: Record<string, unknown> = {}) =>
  JSON.stringify({ scripts: written, ...more });

test('takes the scripts of package.json that check', () => {
  const file = scripts({
    test: 'vitest run',
    lint: 'eslint .',
    'lint:fix': 'eslint . --fix',
    typecheck: 'tsc',
    'format:check': 'prettier -c .',
    format: 'prettier -w .',
    start: 'node .',
  });
  expect(checksOf({ 'package.json': file, 'package-lock.json': '{}' })).toEqual([
    'format: npm run format:check | npm run format',
    'lint: npm run lint | npm run lint:fix',
    'typecheck: npm run typecheck',
    'test: npm test',
  ]);
});

test("does not take npm's own placeholder for a test", () => {
  expect(checksOf({ 'package.json': scripts({ test: 'echo "Error: no test specified" && exit 1' }) })).toEqual([]);
});

test('does not take a script that would never end, and says so', () => {
  const found = detect({ 'package.json': scripts({ test: 'jest --watch', lint: 'eslint . --watch=false' }) });
  expect(found.checks.map(({ name }) => name)).toEqual(['lint']);
  expect(found.notes).toEqual([expect.stringContaining('"test" of package.json watches')]);
});

test('a script that formats is a check only when it says that it checks', () => {
  expect(checksOf({ 'package.json': scripts({ format: 'prettier --write .' }) })).toEqual([]);
  expect(
    checksOf({ 'package.json': scripts({ format: 'prettier --check .', 'format:fix': 'prettier --write .' }) }),
  ).toEqual(['format: npm run format | npm run format:fix']);
});

test('a linter alone in its script is told to mend; one among others is not', () => {
  expect(checksOf({ 'package.json': scripts({ lint: 'eslint src' }) })).toEqual([
    'lint: npm run lint | npm run lint -- --fix',
  ]);
  expect(checksOf({ 'package.json': scripts({ lint: 'eslint src && tsc' }) })).toEqual(['lint: npm run lint']);
});

test.each([
  ['pnpm-lock.yaml', '', 'pnpm run test', 'pnpm install --frozen-lockfile'],
  ['yarn.lock', '# yarn lockfile v1\n', 'yarn run test', 'yarn install --frozen-lockfile'],
  ['yarn.lock', '__metadata:\n  version: 8\n', 'yarn run test', 'yarn install --immutable'],
  ['bun.lock', '{}', 'bun run test', 'bun install --frozen-lockfile'],
  ['npm-shrinkwrap.json', '{}', 'npm test', 'npm ci'],
])('uses the package manager of %s', (lock, text, run, setup) => {
  expect(detect({ 'package.json': scripts({ test: 'x' }), [lock]: text })).toMatchObject({ checks: [{ run }], setup });
});

test('the field packageManager wins over a lock file', () => {
  const file = scripts({ test: 'x' }, { packageManager: 'pnpm@10.1.0' });
  expect(checksOf({ 'package.json': file })).toEqual(['test: pnpm run test']);
});

test('says of dependencies without a lock file that nothing installs them', () => {
  expect(detect({ 'package.json': scripts({}, { devDependencies: { a: '1' } }) })).toMatchObject({
    notes: [expect.stringContaining('no lock file')],
  });
  expect(detect({ 'package.json': scripts({}) }).notes).toEqual([]);
});

test.each(['', 'no JSON', '[]', 'null', '"text"', '{"scripts": 3}', '{"scripts": {"test": 1, "__proto__": {}}}'])(
  'finds nothing in a package.json that holds %s',
  (text) => {
    expect(detect({ 'package.json': text }).checks).toEqual([]);
  },
);

test('takes the targets of a Makefile, which speak for all languages in it', () => {
  const makefile =
    '.PHONY: test lint\nCC := gcc\ntest: build\n\tgo test\nlint fmt-check:\n\techo\nfmt:\n\tgofmt\nbuild ::\n';
  expect(checksOf({ Makefile: makefile, 'go.mod': 'module x' })).toEqual([
    'format: make fmt-check | make fmt',
    'lint: make lint',
    'test: make test',
  ]);
});

test('takes the recipes of a justfile', () => {
  expect(checksOf({ justfile: 'test:\n  cargo test\n' })).toEqual(['test: just test']);
});

test('reads which tools a Python project uses', () => {
  const project =
    '[project]\nname = "x"\n[dependency-groups]\ndev = ["pytest>=8", "ruff"]\n[tool.ruff]\nline-length = 100\n[tool.ruff.format]\n[tool.mypy]\n';
  expect(checksOf({ 'pyproject.toml': project, 'uv.lock': '' })).toEqual([
    'format: uv run ruff format --check . | uv run ruff format .',
    'lint: uv run ruff check . | uv run ruff check --fix .',
    'typecheck: uv run mypy .',
    'test: uv run pytest',
  ]);
  expect(checksOf({ 'setup.cfg': '[tool:pytest]\n' })).toEqual(['test: python3 -m pytest']);
  expect(checksOf({ 'pyproject.toml': '[project]\nname = "pytester"\n' })).toEqual([]);
});

test('reads Rust, Go and others off their own files', () => {
  expect(checksOf({ 'Cargo.toml': '[package]', 'rustfmt.toml': '' })).toEqual([
    'format: cargo fmt --all --check | cargo fmt --all',
    'typecheck: cargo check --all-targets',
    'test: cargo test',
  ]);
  expect(checksOf({ 'go.mod': 'module x' })).toEqual(['lint: go vet ./...', 'test: go test ./...']);
  expect(checksOf({ 'pom.xml': '', mvnw: '' })).toEqual(['test: ./mvnw -q test']);
});

test('checks of several languages have names of their own', () => {
  expect(checksOf({ 'package.json': scripts({ test: 'vitest run' }), 'Cargo.toml': '', 'pytest.ini': '' })).toEqual([
    'test: npm test',
    'test-python: python3 -m pytest',
    'typecheck: cargo check --all-targets',
    'test-rust: cargo test',
  ]);
});

test('sets up by every lock file that is there', () => {
  expect(detect({ 'package.json': '{}', 'package-lock.json': '{}', 'uv.lock': '', 'Cargo.lock': '' }).setup).toBe(
    'npm ci && uv sync --locked && cargo fetch --locked',
  );
  expect(detect({ 'package-lock.json': '{}' }).setup).toBeUndefined();
});

test('finds nothing in an empty repository', () => {
  expect(detect({})).toEqual({ checks: [], notes: [] });
});

test('where reading takes time, each file is asked for once, and only those that there are', async () => {
  const files: Record<string, string> = {
    'package.json': scripts({ test: 'x', lint: 'eslint .' }),
    'package-lock.json': 'large',
    'tests/conftest.py': '',
  };
  const asked: string[] = [];
  const read = (path: string) => {
    asked.push(path);
    return Promise.resolve(files[path]);
  };
  expect(await detectChecks(read)).toEqual(detect(files));
  expect(new Set(asked).size).toBe(asked.length);
  asked.length = 0;
  expect(await detectChecks(read, Object.keys(files))).toEqual(detect(files));
  expect(asked.toSorted()).toEqual(['package.json', 'tests/conftest.py']);
});
