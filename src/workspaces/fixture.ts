import { access, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type CrashPoint, noCrashPoint } from '../lib/crash-point.ts';
import { type PlainSandbox, plainSandbox } from '../testing/plain-sandbox.ts';
import { plainWorkspaces } from '../testing/plain-workspaces.ts';
import {
  type Content,
  plainGit,
  type TempRepository,
  tempFolder,
  tempRepository,
  writeFiles,
} from '../testing/temp-repository.ts';
import { type GitStore, openGitStore } from './git-store.ts';
import { createWorkspaces, type Opened, type OpenRequest } from './workspaces.ts';

/** A repository, its store and a folder for workspaces, for tests of what happens in them. Removes itself. */
export interface Fixture extends AsyncDisposable {
  readonly repository: TempRepository;
  readonly store: GitStore;
  readonly sandbox: PlainSandbox;
  readonly folder: string;
  /** The first commit. */
  readonly base: string;
  /** A path for a canary, outside of everything. */
  readonly canary: string;
  /** Opens the workspace of run `r1`; by default a new one at the base commit. */
  open(request?: Partial<OpenRequest>, crashPoint?: CrashPoint): Promise<Opened>;
  /** Another worker's workspaces of the same store. */
  elsewhere(request: Partial<OpenRequest>): Promise<Opened>;
}

export async function fixture(files: Readonly<Record<string, Content>> = { 'a.txt': 'a\n' }): Promise<Fixture> {
  const repository = await tempRepository(files);
  const home = await tempFolder("switchyard 'home'");
  const store = await openGitStore({ folder: join(home.path, 'repos'), repositoryPath: repository.path });
  const base = await store.fetchCommit('main');
  const sandbox = plainSandbox();
  const folder = join(home.path, 'workspaces');
  const open = (at: string, crashPoint: CrashPoint, request: Partial<OpenRequest> = {}): Promise<Opened> =>
    createWorkspaces({ folder: at, provider: plainWorkspaces(), crashPoint }).open({
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
      ...request,
    });
  return {
    repository,
    store,
    sandbox,
    folder,
    base,
    canary: join(await realpath(home.path), 'canary'),
    open: (request, crashPoint = noCrashPoint) => open(folder, crashPoint, request),
    elsewhere: (request) => open(join(home.path, 'elsewhere'), noCrashPoint, request),
    async [Symbol.asyncDispose]() {
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
