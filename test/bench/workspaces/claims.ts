import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { wallsOf } from '../../../src/daemon/walls.ts';
import { workspaceProvider } from '../../../src/daemon/workspace-providers.ts';
import { gitSandbox, programsSandbox } from '../../../src/engine/enclosure.ts';
import { createEgress } from '../../../src/gateway/egress/create.ts';
import { noCrashPoint } from '../../../src/lib/crash-point.ts';
import { type Home, resolveHome } from '../../../src/lib/home.ts';
import { unmountBelow } from '../../../src/lib/mounts.ts';
import { spreadFolders } from '../../../src/lib/spread-folders.ts';
import type { Egress } from '../../../src/ports/egress.ts';
import type { Sandbox, Walls } from '../../../src/ports/sandbox.ts';
import type { WorkspaceProvider } from '../../../src/ports/workspace.ts';
import { type GitStore, openGitStore } from '../../../src/workspaces/git-store.ts';
import type { Layout } from '../../../src/workspaces/layout.ts';
import type { Setup } from '../../../src/workspaces/setup.ts';
import {
  createWorkspaces,
  type OpenRequest,
  type Workspaces,
  type WorkspaceUpkeep,
} from '../../../src/workspaces/workspaces.ts';

export interface ClaimsParts {
  /** On the disk that is measured; `home` in it is this home, with the bases that others have made there before. */
  readonly folder: string;
  readonly repository: string;
  /** A folder with the files that setup puts into `node_modules`. */
  readonly dependencies: string;
  readonly provider: NonNullable<Parameters<typeof workspaceProvider>[1]['workspaces']['provider']>;
}

/** Workspaces of one repository as the daemon makes them: one provider, the default walls, setup as what its dependencies come of. */
export class Claims implements AsyncDisposable {
  readonly #home: Home;
  readonly #workspaces: Workspaces & WorkspaceUpkeep;
  readonly #walls: { readonly programs: Walls; readonly git: Walls };
  readonly #openEgress: () => Promise<Egress>;
  readonly #command: string;
  readonly #signal: AbortSignal;
  readonly store: GitStore;
  /** The repository's last commit, and the one before it. */
  readonly commits: { readonly last: string; readonly before: string };

  private constructor(
    parts: ClaimsParts,
    made: {
      home: Home;
      provider: WorkspaceProvider;
      walls: { programs: Walls; git: Walls };
      store: GitStore;
      commits: { last: string; before: string };
      signal: AbortSignal;
    },
  ) {
    const { home, provider } = made;
    this.#home = home;
    this.#walls = made.walls;
    this.#signal = made.signal;
    this.store = made.store;
    this.commits = made.commits;
    this.#workspaces = createWorkspaces({
      folder: home.workspaces,
      bases: home.bases,
      provider,
      crashPoint: noCrashPoint,
      onNote: (text) => process.stderr.write(`${text}\n`),
    });
    const open = createEgress({ folder: home.sockets, hostEnv: {} });
    this.#openEgress = () => open({ hosts: [], packages: false, loopback: [] }, () => undefined);
    this.#command = `mkdir -p node_modules && cp -a '${parts.dependencies}/.' node_modules`;
  }

  /** Rejects with `workspace/no-provider` where the provider does not work. An abort ends claims and the making of bases. */
  static async begin(parts: ClaimsParts, signal: AbortSignal): Promise<Claims> {
    const home = resolveHome({ SWITCHYARD_HOME: join(parts.folder, 'home') });
    for (const folder of [home.repositories, home.bases, home.workspaces, home.sockets, home.walls])
      await mkdir(folder, { recursive: true, mode: 0o700 });
    await spreadFolders(home.workspaces);
    const provider = await workspaceProvider(home, { workspaces: { provider: parts.provider, pool: 0 } });
    const host = wallsOf({ env: process.env, home, machine: { reads: [parts.dependencies], container: {} } });
    const walls = { programs: await host.get(await host.strongest()), git: await host.forGit() };
    const store = await openGitStore({ folder: home.repositories, repositoryPath: parts.repository });
    const last = await store.fetchCommit('main');
    const before = await store.fetchCommit('main~1');
    return new Claims(parts, { home, provider, walls, store, commits: { last, before }, signal });
  }

  /** Makes the bases that are not there. */
  async warm(): Promise<void> {
    const { before: commit } = this.commits;
    await this.#workspaces.warm({ store: this.store, commit, setup: this.#enclose, signal: this.#signal });
  }

  /** A workspace at the commit, and one program in its walls: how long it took until it was open and until all was over, in milliseconds. */
  async claim(run: string, head: string): Promise<{ readonly opened: number; readonly took: number }> {
    this.#signal.throwIfAborted();
    const layout = this.#workspaces.layoutOf(run);
    const began = performance.now();
    await using egress = new Once(this.#openEgress);
    const programs = this.#programs(layout, egress);
    await this.#workspaces.open({
      run,
      slug: run,
      step: 'implement',
      attempt: 1,
      store: this.store,
      head,
      base: this.commits.before,
      reuse: false,
      sandbox: this.#git(layout),
      identity: { name: 'Bench', email: 'bench@example.com' },
      carry: [],
      copy: { from: '', globs: [] },
      setup: this.#setup(programs),
      enclose: this.#enclose,
      sessionFiles: [{ agent: 'agent', globs: ['.sessions/**'] }],
      signal: this.#signal,
    });
    const opened = performance.now() - began;
    await using program = await programs.spawn({ argv: ['true'], cwd: layout.tree, env: this.#env });
    const { code } = await program.exited;
    const took = performance.now() - began;
    if (code !== 0) throw new Error(`a program in the workspace of ${run} ended with ${code}`);
    return { opened, took };
  }

  /** The workspace's folder, beside the files that are laid over others. */
  rootOf(run: string): string {
    return this.#workspaces.layoutOf(run).root;
  }

  /** Where the files of a commit lie for all, and what setup made. */
  async bases(): Promise<{ source: string; dependencies: string | undefined }> {
    const bases = await this.#workspaces.listBases();
    const source = bases.find(({ kind, commit }) => kind === 'source' && commit === this.commits.before);
    if (source === undefined) throw new Error('there is no base of the commit');
    const dependencies = bases.find(({ kind }) => kind === 'dependencies');
    return { source: source.folder, dependencies: dependencies?.folder };
  }

  async remove(run: string): Promise<void> {
    await this.#workspaces.remove(run);
    await this.#workspaces.idle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workspaces[Symbol.asyncDispose]();
    await unmountBelow(this.#home.folder);
  }

  readonly #env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };

  readonly #enclose: OpenRequest['enclose'] & {} = async (layout) => {
    const egress = new Once(this.#openEgress);
    const sandbox = this.#git(layout);
    const setup = this.#setup(this.#programs(layout, egress));
    return { sandbox, setup, [Symbol.asyncDispose]: () => egress[Symbol.asyncDispose]() };
  };

  #setup(sandbox: Sandbox): Setup {
    return { command: this.#command, env: this.#env, timeoutMs: 600_000, onOutput: () => undefined, sandbox };
  }

  #git(layout: Layout): Sandbox {
    return gitSandbox(this.#walls.git, { layout, store: this.store.path });
  }

  #programs(layout: Layout, egress: Once): Sandbox {
    const { programs: walls } = this.#walls;
    return programsSandbox({
      walls,
      layout,
      store: this.store.path,
      home: layout.home,
      settings: {},
      egress: () => egress.get(),
    });
  }
}

/** Opened when it is first wanted. */
class Once implements AsyncDisposable {
  readonly #open: () => Promise<Egress>;
  #opened: Promise<Egress> | undefined;

  constructor(open: () => Promise<Egress>) {
    this.#open = open;
  }

  get(): Promise<Egress> {
    return (this.#opened ??= this.#open());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#opened)?.[Symbol.asyncDispose]();
  }
}
