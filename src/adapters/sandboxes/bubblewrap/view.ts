import { lstat, readlink, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { resolveProgram } from '../../../lib/exec/resolve-program.ts';
import { whichOn } from '../../../lib/exec/which.ts';
import { isWithin } from '../../../lib/is-within.ts';
import type { Mount, SandboxProgram } from '../../../ports/sandbox.ts';

/** Paths of the host, and where programs behind these mounts find them. What no mount covers has its own place on both sides. */
export class View {
  readonly mounts: readonly Mount[];

  constructor(mounts: readonly Mount[]) {
    this.mounts = mounts;
  }

  inside(path: string): string {
    const mount = longest(this.mounts, path, 'host');
    return mount === undefined ? path : join(mount.inside, relative(mount.host, path));
  }

  outside(path: string): string {
    const mount = longest(this.mounts, path, 'inside');
    return mount === undefined ? path : join(mount.host, relative(mount.inside, path));
  }

  /** Whether programs find something of a mount there. */
  covers(inside: string): boolean {
    return longest(this.mounts, inside, 'inside') !== undefined;
  }

  /** The program's file on the host, and its arguments as programs see them. Rejects as `resolveProgram` does. */
  async find(
    program: SandboxProgram,
  ): Promise<{ readonly file: string; readonly argv: readonly [string, ...string[]] }> {
    const [name, ...args] = program.argv;
    const { PATH, ...env } = program.env;
    const path = PATH?.split(':')
      .map((folder) => this.outside(folder))
      .join(':');
    const outside = name.startsWith('/') ? this.outside(name) : name;
    try {
      const asked = { ...program, argv: [outside] as const, env: path === undefined ? env : { ...env, PATH: path } };
      const [file] = await resolveProgram(asked);
      return { file, argv: [this.inside(file), ...args] };
    } catch (error) {
      const found = await this.#behindLinks(program).catch(() => undefined);
      if (found !== undefined) return { file: found.file, argv: [found.inside, ...args] };
      // One of the host's at a place that a mount takes, such as below /tmp.
      const [file] = await resolveProgram(program).catch(() => [undefined]);
      if (file === undefined || this.inside(file) !== file) throw error;
      return { file, argv: [file, ...args] };
    }
  }

  /** A link that programs made may lead to a place that only they have. */
  async #behindLinks({
    argv: [name],
    env,
    cwd,
  }: SandboxProgram): Promise<{ file: string; inside: string } | undefined> {
    if (!(await stat(cwd)).isDirectory()) return undefined;
    const folders = name.includes('/') ? [this.inside(cwd)] : (env['PATH'] ?? '').split(':').filter(Boolean);
    for (const folder of folders) {
      const inside = resolve(folder, name);
      const file = await whichOn(undefined)((await this.#follow(inside)) ?? '/');
      if (file !== undefined) return { file, inside };
    }
    return undefined;
  }

  async #follow(inside: string): Promise<string | undefined> {
    let path = inside;
    for (let links = 0; links < 40; links++) {
      const found = await lstat(this.outside(path)).catch(() => undefined);
      if (found === undefined) return undefined;
      if (!found.isSymbolicLink()) return this.outside(path);
      path = resolve(dirname(path), await readlink(this.outside(path)));
    }
    return undefined;
  }
}

/** The mount that lies deepest; of two at one place the later one, which lies on top. */
function longest(mounts: readonly Mount[], path: string, side: 'host' | 'inside'): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    if (isWithin(path, mount[side]) && mount[side].length >= (best?.[side].length ?? 0)) best = mount;
  }
  return best;
}
