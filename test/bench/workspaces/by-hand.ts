import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../../../src/lib/exec/run-program.ts';
import { unmountBelow } from '../../../src/lib/mounts.ts';
import { plainGit } from '../../../src/testing/temp-repository.ts';
import { sourceObjects } from '../../../src/workspaces/source-objects.ts';
import { bytesOf } from './disk.ts';

export interface ByHandParts {
  /** On the disk of the bases. */
  readonly folder: string;
  readonly store: string;
  readonly commit: string;
  /** Bases: of the commit, and of what setup makes. */
  readonly source: string;
  readonly dependencies: string | undefined;
}

/**
 * The least that anybody could do by hand for a workspace over the same folders: an overlay, a git directory of its own with a branch, one
 * program in walls. All in one shell.
 */
export class ByHand implements AsyncDisposable {
  readonly #parts: ByHandParts;
  readonly #template: string;

  private constructor(parts: ByHandParts) {
    this.#parts = parts;
    this.#template = join(parts.folder, 'template');
  }

  static async begin(parts: ByHandParts): Promise<ByHand> {
    const hand = new ByHand(parts);
    const git = hand.#template;
    await mkdir(join(git, 'refs'), { recursive: true });
    await mkdir(join(git, 'objects/info'), { recursive: true });
    await writeFile(join(git, 'HEAD'), `${parts.commit}\n`);
    await writeFile(join(git, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = false\n');
    await writeFile(join(git, 'objects/info/alternates'), `${sourceObjects(parts.store)}\n`);
    await copyFile(join(parts.source, 'index'), join(git, 'index'));
    return hand;
  }

  async claim(run: string): Promise<number> {
    const { folder, source, dependencies } = this.#parts;
    const root = join(folder, run);
    const layers = [source, dependencies].flatMap((base) => (base === undefined ? [] : [join(base, 'files')]));
    const began = performance.now();
    await shell(SCRIPT, [root, layers.join(':'), this.#template, run]);
    return performance.now() - began;
  }

  async remove(run: string): Promise<void> {
    const root = join(this.#parts.folder, run);
    await unmountBelow(root);
    await rm(root, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await unmountBelow(this.#parts.folder);
    await rm(this.#parts.folder, { recursive: true, force: true });
  }
}

const SCRIPT = `
set -e
mkdir -p "$1/tree" "$1/upper" "$1/work"
mount -n -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work,redirect_dir=on" overlay "$1/tree"
cp -r "$3" "$1/git"
git --git-dir="$1/git" --work-tree="$1/tree" switch --quiet -c "$4"
exec bwrap --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc --dev /dev \\
  --bind "$1/tree" /mnt --chdir /mnt --unshare-all true`;

/** `git worktree add`: what it takes in milliseconds, and in bytes. Its removal is not a part of that. */
export async function worktreeAdd(
  repository: string,
  folder: string,
  commit: string,
): Promise<{ took: number; bytes: number }> {
  const began = performance.now();
  await plainGit(repository, 'worktree', 'add', '--quiet', '-b', 'worktree', folder, commit);
  const took = performance.now() - began;
  const bytes = await bytesOf(folder);
  await plainGit(repository, 'worktree', 'remove', '--force', folder);
  await plainGit(repository, 'branch', '--quiet', '-D', 'worktree');
  return { took, bytes };
}

async function shell(text: string, args: readonly string[]): Promise<void> {
  const env = {
    PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    LC_ALL: 'C',
  };
  const program = { file: 'sh', args: ['-c', text, 'by-hand', ...args], cwd: '/', env };
  const { code, stderr } = await runProgram({ ...program, input: undefined, signal: undefined });
  if (code !== 0) throw new Error(`by hand: ended with ${code}: ${stderr}`);
}
