import { randomBytes } from 'node:crypto';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ResourceLimits, SandboxLevel } from '../../src/domain/sandbox.ts';
import { enclosedEnv } from '../../src/engine/context.ts';
import { gitSandbox, programsSandbox } from '../../src/engine/enclosure.ts';
import { noCrashPoint } from '../../src/lib/crash-point.ts';
import { keepTail } from '../../src/lib/exec/tail.ts';
import type { Egress } from '../../src/ports/egress.ts';
import type { Exit, Sandbox, Walls } from '../../src/ports/sandbox.ts';
import type { Workspace } from '../../src/ports/workspace.ts';
import { plainWorkspaces } from '../../src/testing/plain-workspaces.ts';
import { type Content, type TempRepository, tempFolder, tempRepository } from '../../src/testing/temp-repository.ts';
import { type GitStore, openGitStore } from '../../src/workspaces/git-store.ts';
import type { Layout } from '../../src/workspaces/layout.ts';
import { createWorkspaces, type OpenRequest, type Workspaces } from '../../src/workspaces/workspaces.ts';

/**
 * A host in a temporary folder: a person's HOME with secrets, a Switchyard home, a repository, and a run's workspace in which a hostile
 * agent is at work behind the walls of a level. Everything that can be stolen holds the stage's secret. Removes itself.
 */
export interface Stage extends AsyncDisposable {
  readonly level: SandboxLevel;
  readonly walls: Walls;
  /** Every secret file, variable and answer here holds this word. */
  readonly secret: string;
  /** Outside of everything that is an agent's; never in a name that a shell would take apart. */
  readonly folder: string;
  /** The person's HOME. */
  readonly person: string;
  /** Where Switchyard keeps its own. */
  readonly home: string;
  readonly repository: TempRepository;
  readonly store: GitStore;
  readonly workspaces: Workspaces;
  readonly workspace: Workspace;
  readonly layout: Layout;
  /** A file outside, with `untouched` in it, for attacks that write. */
  readonly target: string;
  /** Runs a shell script as the run's agent, to its end. */
  agent(script: string, options?: AgentOptions): Promise<Said>;
  sandboxOf(options?: AgentOptions): Sandbox;
  envIn(sandbox: Sandbox, options?: AgentOptions): Record<string, string>;
  /** Opens a run's workspace, by default the stage's own again. */
  open(request?: Partial<OpenRequest>): Promise<Workspace>;
  /** Puts a secret, or a text, in a file below the folder. */
  put(path: string, text?: string): Promise<string>;
  /** What the target holds now. */
  targetText(): Promise<string>;
}

export interface AgentOptions {
  /** Its name, which decides on its HOME. */
  readonly name?: string;
  readonly run?: string;
  readonly limits?: ResourceLimits;
  /** The ways out of its walls; none, if not given. */
  readonly egress?: Egress;
  readonly input?: string;
  readonly timeoutMs?: number;
}

export interface Said extends Exit {
  /** The end of what it wrote to both of its outputs. */
  readonly output: string;
}

export interface HostWalls {
  readonly programs: Walls;
  readonly git: Walls;
}

const FILES: Readonly<Record<string, Content>> = {
  'README.md': 'hello\n',
  'src/one.txt': 'one\n',
  '.gitignore': '*.log\n',
};

export const TEXT = {
  message: 'Do it',
  identity: { name: 'Ada', email: 'ada@example.com' },
  trailers: { 'Switchyard-Run': 'run1' },
};

export async function stage(
  { programs, git }: HostWalls,
  files: Readonly<Record<string, Content>> = FILES,
): Promise<Stage> {
  const temporary = await tempFolder('switchyard-attack');
  const folder = await realpath(temporary.path);
  const secret = `CANARY${randomBytes(9).toString('hex')}`;
  const [person, home, target] = [join(folder, 'person'), join(folder, 'switchyard'), join(folder, 'target')];
  await mkdir(person, { recursive: true });
  await mkdir(home, { recursive: true });
  await writeFile(target, 'untouched');
  const repository = await tempRepository(files);
  const store = await openGitStore({ folder: join(home, 'repos'), repositoryPath: repository.path });
  const base = await store.fetchCommit('main');
  const workspaces = createWorkspaces({
    folder: join(home, 'workspaces'),
    provider: plainWorkspaces(),
    crashPoint: noCrashPoint,
  });
  const open = async (request: Partial<OpenRequest> = {}): Promise<Workspace> => {
    const run = request.run ?? 'run1';
    const { workspace } = await workspaces.open({
      run,
      slug: 'fix-it',
      step: 'implement',
      attempt: 1,
      store,
      head: base,
      base,
      reuse: false,
      sandbox: gitSandbox(git, { layout: workspaces.layoutOf(run), store: store.path }),
      identity: TEXT.identity,
      carry: [],
      copy: { from: repository.path, globs: [] },
      sessionFiles: [{ agent: 'coder', globs: ['.sessions/**'] }],
      signal: new AbortController().signal,
      ...request,
    });
    for (const name of ['coder', 'other']) await mkdir(homeOf(workspaces, { run, name }), { recursive: true });
    return workspace;
  };
  const sandboxOf = (options: AgentOptions = {}) =>
    programsSandbox({
      walls: programs,
      layout: workspaces.layoutOf(options.run ?? 'run1'),
      store: store.path,
      home: homeOf(workspaces, options),
      settings: { resources: options.limits ?? {} },
      egress: () => Promise.resolve(options.egress ?? NO_WAYS_OUT),
    });
  const envIn = (sandbox: Sandbox, options: AgentOptions = {}) => {
    const own = homeOf(workspaces, options);
    const env = enclosedEnv({ PATH: process.env['PATH'], HOME: person }, sandbox, own);
    return { ...env, HOME: sandbox.inside(own) };
  };
  const workspace = await open();
  return {
    level: programs.level,
    walls: programs,
    secret,
    folder,
    person,
    home,
    repository,
    store,
    workspaces,
    workspace,
    layout: workspaces.layoutOf('run1'),
    target,
    sandboxOf,
    envIn,
    open,
    async agent(script, options = {}) {
      const sandbox = sandboxOf(options);
      const cwd = workspaces.layoutOf(options.run ?? 'run1').tree;
      await using running = await sandbox.spawn({
        argv: ['/bin/sh', '-c', script],
        cwd,
        env: envIn(sandbox, options),
        ...(options.input === undefined ? {} : { input: options.input }),
      });
      const tails = [keepTail(running.stdout), keepTail(running.stderr)];
      const late = setTimeout(() => void running.stop(0), options.timeoutMs ?? 30_000);
      const exit = await running.exited;
      clearTimeout(late);
      return { ...exit, output: tails.map((tail) => tail.text()).join('\n') };
    },
    async put(path, text = secret) {
      const file = join(folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      return file;
    },
    targetText: () => readFile(target, 'utf8').catch(() => 'gone'),
    async [Symbol.asyncDispose]() {
      await repository[Symbol.asyncDispose]();
      await temporary[Symbol.asyncDispose]();
    },
  };
}

function homeOf(workspaces: Workspaces, { run = 'run1', name = 'coder' }: AgentOptions): string {
  return join(workspaces.layoutOf(run).homes, name);
}

const NO_WAYS_OUT = { bridges: [], env: {}, [Symbol.asyncDispose]: () => Promise.resolve() };
