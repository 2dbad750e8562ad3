import { execFile } from 'node:child_process';
import { access, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type CrashPoint, noCrashPoint } from '../lib/crash-point.ts';
import { unmountBelow } from '../lib/mounts.ts';
import type { Workspace } from '../ports/workspace.ts';
import { type PlainSandbox, plainSandbox } from '../testing/plain-sandbox.ts';
import { workspaceCandidates } from '../testing/plain-workspaces.ts';
import {
  type Content,
  plainGit,
  type TempFolder,
  type TempRepository,
  tempFolder,
  tempRepository,
  writeFiles,
} from '../testing/temp-repository.ts';
import { type ChosenProvider, chooseProvider } from './choose-provider.ts';
import { type GitStore, openGitStore } from './git-store.ts';
import {
  createWorkspaces,
  type Opened,
  type OpenRequest,
  type Workspaces,
  type WorkspacesOptions,
  type WorkspaceUpkeep,
} from './workspaces.ts';

/** A repository, its store and a folder for workspaces, for tests of what happens in them. Removes itself. */
export interface Fixture extends AsyncDisposable {
  readonly repository: TempRepository;
  readonly store: GitStore;
  readonly sandbox: PlainSandbox;
  readonly folder: string;
  /** Where bases lie. */
  readonly bases: string;
  /** Where workspaces are made, as one worker has it. */
  readonly workspaces: Workspaces & WorkspaceUpkeep;
  /** Another worker's, such as that of a later start. */
  another(more?: Partial<WorkspacesOptions>): Workspaces & WorkspaceUpkeep;
  request(request?: Partial<OpenRequest>): OpenRequest;
  /** The first commit. */
  readonly base: string;
  /** A path for a canary, outside of everything. */
  readonly canary: string;
  /** Opens the workspace of run `r1`; by default a new one at the base commit. */
  open(request?: Partial<OpenRequest>, crashPoint?: CrashPoint): Promise<Opened>;
  /** Another worker's workspaces of the same store. */
  elsewhere(request: Partial<OpenRequest>): Promise<Opened>;
}

/** All fixtures of a process lie on the same disk. */
const chosen = new Map<string | undefined, Promise<ChosenProvider>>();

/** `wanted`: how workspaces are made; without it, the quickest way that works here. */
export async function fixture(
  files: Readonly<Record<string, Content>> = { 'a.txt': 'a\n' },
  { wanted, disk }: { wanted?: string; disk?: TempFolder } = {},
): Promise<Fixture> {
  const repository = await tempRepository(files);
  const home = disk ?? (await tempFolder("switchyard 'home'"));
  const store = await openGitStore({ folder: join(home.path, 'repos'), repositoryPath: repository.path });
  const base = await store.fetchCommit('main');
  const sandbox = plainSandbox();
  const folder = join(home.path, 'workspaces');
  const bases = join(home.path, 'bases');
  const key = disk === undefined ? wanted : `${wanted} ${disk.path}`;
  const choosing =
    chosen.get(key) ?? chooseProvider({ candidates: workspaceCandidates, layers: bases, folder, wanted });
  chosen.set(key, choosing);
  const { provider } = await choosing;
  const made: WorkspaceUpkeep[] = [];
  const make = (more: Partial<WorkspacesOptions> = {}): Workspaces & WorkspaceUpkeep => {
    const workspaces = createWorkspaces({ folder, bases, provider, crashPoint: noCrashPoint, ...more });
    made.push(workspaces);
    return workspaces;
  };
  const workspaces = make();
  const request = (more: Partial<OpenRequest> = {}): OpenRequest => ({
    run: 'r1',
    slug: 'fix-it',
    step: 'implement',
    attempt: 1,
    store,
    head: base,
    base,
    reuse: false,
    sandbox,
    identity: IDENTITY,
    carry: [],
    copy: { from: repository.path, globs: [] },
    sessionFiles: [],
    signal: new AbortController().signal,
    ...more,
  });
  return {
    repository,
    store,
    sandbox,
    folder,
    base,
    canary: join(await realpath(home.path), 'canary'),
    bases,
    workspaces,
    another: make,
    request,
    open: (more, crashPoint = noCrashPoint) => make({ crashPoint }).open(request(more)),
    elsewhere: (more) => make({ folder: join(home.path, 'elsewhere') }).open(request(more)),
    async [Symbol.asyncDispose]() {
      for (const workspaces of made) await workspaces[Symbol.asyncDispose]();
      await unmountBelow(home.path);
      await repository[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

export const IDENTITY = { name: 'Grace "G" O\'Hopper', email: 'grace@example.com' };

export const TEXT = { message: 'Do it', identity: IDENTITY, trailers: { 'Switchyard-Run': 'r1' } };

/** The agent, as far as git can tell. */
export function agentIn(folder: string) {
  return {
    git: (...args: string[]) => plainGit(folder, ...args),
    write: (files: Readonly<Record<string, Content>>) => writeFiles(folder, files),
    read: (path: string) => readFile(join(folder, path), 'utf8'),
    async commit(files: Readonly<Record<string, Content>>, message: string): Promise<string> {
      await writeFiles(folder, files);
      await plainGit(folder, 'add', '-A');
      await plainGit(folder, 'commit', '--quiet', '-m', message);
      return plainGit(folder, 'rev-parse', 'HEAD');
    },
  };
}

/** The files of a part of a checkpoint, one `MODE type ID\tPATH` each, as the workspace that made it has them. */
export async function listPart(
  { homes }: Pick<Workspace, 'homes'>,
  { store, commit, name }: { store: string; commit: string; name: 'carry' | 'homes' },
): Promise<string[]> {
  const entries = (await plainGit(store, 'ls-tree', '--name-only', commit)).split('\n');
  const tree = entries.find((entry) => entry.startsWith(`${name}.`))?.slice(name.length + 1) ?? '';
  const git = join(homes, '../git');
  const objects = join(git, 'private', name, 'objects');
  const env = { PATH: process.env['PATH'] ?? '', GIT_OBJECT_DIRECTORY: objects, GIT_DIR: join(git, 'exact') };
  const { stdout } = await promisify(execFile)('git', ['ls-tree', '-r', '-z', tree], { env });
  return stdout.split('\0').filter((line) => line !== '');
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Dies (throws) at the named crash point. */
export function dyingAt(armed: string): CrashPoint {
  return (name) => (name === armed ? Promise.reject(new Error(`killed at ${armed}`)) : Promise.resolve());
}
