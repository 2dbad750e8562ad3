import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** A folder that removes itself at the end of its scope. */
export interface TempFolder extends AsyncDisposable {
  readonly path: string;
}

export async function tempFolder(name = 'switchyard-test'): Promise<TempFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), `${name}-`)));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** What a path holds: text, or an executable, or a symbolic link. */
export type Content = string | { readonly executable: string } | { readonly link: string };

/** Writes files below a folder, making folders on the way. */
export async function writeFiles(folder: string, files: Readonly<Record<string, Content>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    if (typeof content === 'string') {
      await writeFile(target, content);
    } else if ('link' in content) {
      await symlink(content.link, target);
    } else {
      await writeFile(target, content.executable);
      await chmod(target, 0o755);
    }
  }
}

/** An empty file that counts as a program, with the folders above it. */
export function writeProgram(file: string): Promise<void> {
  return writeFiles(dirname(file), { [basename(file)]: { executable: '' } });
}

/** A person's repository in a temporary folder, on branch `main`, without background maintenance. */
export interface TempRepository extends TempFolder {
  /** Runs git in the checkout, as the person would; returns what it printed, without the last line end. */
  git(...args: string[]): Promise<string>;
  /** Writes files and commits everything; returns the commit. */
  commit(files: Readonly<Record<string, Content>>, message?: string): Promise<string>;
}

export async function tempRepository(
  files: Readonly<Record<string, Content>> = { 'README.md': 'hello\n' },
  { name = 'repo', bare = false }: { name?: string; bare?: boolean } = {},
): Promise<TempRepository> {
  const folder = await tempFolder();
  const path = join(folder.path, name);
  const repository: TempRepository = {
    path,
    git: (...args) => plainGit(path, ...args),
    async commit(changed, message = 'A change') {
      await writeFiles(path, changed);
      await repository.git('add', '-A');
      await repository.git('commit', '--quiet', '--allow-empty', '-m', message);
      return repository.git('rev-parse', 'HEAD');
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
  await mkdir(path, { recursive: true });
  await repository.git('init', '--quiet', '--initial-branch=main', ...(bare ? ['--bare'] : []));
  for (const [key, value] of SETTINGS) await repository.git('config', key, value);
  if (!bare && Object.keys(files).length > 0) await repository.commit(files, 'First');
  return repository;
}

const SETTINGS = [
  ['user.name', 'Ada'],
  ['user.email', 'ada@example.com'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
] as const;

/** Runs git in a folder with the repository's own configuration only. */
export async function plainGit(cwd: string, ...args: string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    LC_ALL: 'C',
  };
  const { stdout } = await promisify(execFile)('git', args, { cwd, env, maxBuffer: 1 << 28 });
  return stdout.replace(/\n$/, '');
}
