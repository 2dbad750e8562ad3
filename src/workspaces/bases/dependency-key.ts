import { createHash } from 'node:crypto';
import { readdirSync, type Stats, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, matchesGlob } from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { git, splitNul } from '../../lib/git/git.ts';
import type { Sandbox } from '../../ports/sandbox.ts';
import type { Setup } from '../setup.ts';

/** Files, wherever they lie in a repository, that say what setup installs. */
export const MANIFESTS: readonly string[] = [
  // JavaScript
  'package.json',
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  '.pnpmfile.cjs',
  'bun.lock',
  'bun.lockb',
  '.npmrc',
  '.yarnrc',
  '.yarnrc.yml',
  'deno.json',
  'deno.lock',
  // Python
  'requirements.txt',
  'constraints.txt',
  'pyproject.toml',
  'setup.py',
  'setup.cfg',
  'poetry.lock',
  'uv.lock',
  'pdm.lock',
  'Pipfile',
  'Pipfile.lock',
  'environment.yml',
  // Ruby, PHP, Elixir
  'Gemfile',
  'Gemfile.lock',
  'composer.json',
  'composer.lock',
  'mix.exs',
  'mix.lock',
  // Go, Rust, .NET, Dart, Swift
  'go.mod',
  'go.sum',
  'go.work',
  'Cargo.toml',
  'Cargo.lock',
  'packages.lock.json',
  'Directory.Packages.props',
  'global.json',
  'NuGet.config',
  'pubspec.yaml',
  'pubspec.lock',
  'Package.swift',
  'Package.resolved',
  // The JVM
  'pom.xml',
  'build.gradle',
  'build.gradle.kts',
  'settings.gradle',
  'settings.gradle.kts',
  'gradle.properties',
  'gradle.lockfile',
  'libs.versions.toml',
  'gradle-wrapper.properties',
  // Versions of tools, and what setup may be written in
  '.nvmrc',
  '.node-version',
  '.python-version',
  '.ruby-version',
  '.tool-versions',
  'mise.toml',
  'rust-toolchain',
  'rust-toolchain.toml',
  'Makefile',
  'justfile',
  'Brewfile',
  'Dockerfile',
  'devcontainer.json',
];

/** The programs of which another version makes other dependencies. */
const TOOLS =
  'node npm npx pnpm yarn bun deno python3 python pip uv poetry ruby bundle php composer elixir mix go cargo rustc dotnet java mvn gradle gcc cc clang make'.split(
    ' ',
  );

export interface KeyParts {
  /** The path of the git store. */
  readonly store: string;
  /** The commit or tree that setup runs on. */
  readonly treeish: string;
  readonly setup: Setup;
  readonly sandbox: Sandbox;
}

/** Reads keys, and remembers what it has read of trees. */
export class DependencyKeys {
  readonly #inputs = new Map<string, Promise<readonly string[]>>();

  /**
   * Names what setup makes: equal keys say that it would make the same. Of the repository, only manifests and lockfiles (`MANIFESTS`), the
   * files that setup's command names, and those that `setup.inputs` selects count.
   */
  async keyOf({ store, treeish, setup, sandbox }: KeyParts): Promise<string> {
    const asked = JSON.stringify([store, treeish, setup.command, setup.inputs]);
    const reading = this.#inputs.get(asked) ?? inputsAt(store, treeish, setup);
    this.#inputs.delete(asked);
    this.#inputs.set(asked, reading);
    for (const old of [...this.#inputs.keys()].slice(0, -REMEMBERED)) this.#inputs.delete(old);
    reading.catch(() => this.#inputs.delete(asked));
    const here = [process.platform, process.arch, String(process.geteuid?.() ?? ''), ...toolsOn(setup.env['PATH'])];
    const walls = [sandbox.level, sandbox.mechanism, setup.identity ?? ''];
    const facts = ['1', setup.command, ...here, ...walls, ...(await reading)];
    return createHash('sha256').update(facts.join('\0')).digest('hex').slice(0, 40);
  }
}

const REMEMBERED = 100;

async function inputsAt(store: string, treeish: string, { command, inputs = [] }: Setup): Promise<readonly string[]> {
  const words = new Set(command.split(/[\s;&|()<>"'`$=]+/).map((word) => word.replace(/^\.\//, '')));
  const wanted = (path: string): boolean =>
    NAMES.has(path.slice(path.lastIndexOf('/') + 1)) ||
    words.has(path) ||
    REQUIREMENTS.test(path) ||
    inputs.some((glob) => matchesGlob(path, glob));
  const entries = splitNul(await git(['ls-tree', '-r', '-z', treeish], { gitDir: store }));
  return entries.filter((entry) => wanted(entry.slice(entry.indexOf('\t') + 1)));
}

const NAMES = new Set(MANIFESTS);
const REQUIREMENTS =
  /(^|\/)requirements[^/]*\.(txt|in)$|(^|\/)requirements\/[^/]+\.txt$|\.(csproj|fsproj|gemspec|cabal)$/;

/** Programs as they are now: an upgrade gives other files. A look at each is a few microseconds, all in all less than a thread would take. */
function toolsOn(path: string | undefined): string[] {
  const folders = (path ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  const having = folders.map((folder) => ({ folder, tools: toolsIn(folder) }));
  return TOOLS.map((tool) => {
    for (const { folder, tools } of having) {
      if (!tools.has(tool)) continue;
      const found = lookAt(join(folder, tool));
      if (found?.isFile() === true) return `${tool} ${folder} ${found.ino} ${found.size} ${found.mtimeMs}`;
    }
    return tool;
  });
}

/** Names that folders hold, with how the folder looked: what is not there needs no look as long as that is the same. */
const seen = new Map<string, { readonly look: string; readonly tools: ReadonlySet<string> }>();

/** The tools whose names the folder holds; all where it cannot be listed. */
function toolsIn(folder: string): ReadonlySet<string> {
  const found = lookAt(folder);
  if (found === undefined) return NO_TOOLS;
  const look = `${found.dev} ${found.ino} ${found.mtimeMs} ${found.ctimeMs}`;
  const known = seen.get(folder);
  if (known?.look === look) return known.tools;
  seen.delete(folder);
  try {
    // Times of folders go by the ticks of a clock: one that is younger than some of them may change once more and look the same.
    const isSettled = Math.max(found.mtimeMs, found.ctimeMs) < systemClock.now() - TICKS_MS;
    const names = new Set(readdirSync(folder));
    const tools = new Set(TOOLS.filter((tool) => names.has(tool)));
    if (isSettled) seen.set(folder, { look, tools });
    return tools;
  } catch {
    return ALL_TOOLS;
  }
}

const TICKS_MS = 20;
const NO_TOOLS: ReadonlySet<string> = new Set();
const ALL_TOOLS: ReadonlySet<string> = new Set(TOOLS);

/** Undefined where nothing is, and for a folder of somebody else's that is on the PATH all the same. */
function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
