import { createHash } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SwitchyardError } from '../../lib/error.ts';
import { type GitResult, runGit } from '../../lib/git/git.ts';
import { readRef } from '../../lib/git/refs.ts';
import { createBareRepository } from '../create-bare-repository.ts';
import { fetchedRef } from '../fetch-from-user.ts';
import { type DeclaredSubmodule, submodulesIn } from './declared.ts';
import { type SourceAddress, sourceAddress } from './source-address.ts';

/** A submodule whose files are here. */
export interface Submodule {
  /** Within the checkout, also of one within another. */
  readonly path: string;
  readonly commit: string;
  /** A bare repository of ours beside the git store's own objects that has the commit, without its history. */
  readonly gitDir: string;
}

export interface Submodules {
  /** Outer ones before those within them. */
  readonly all: readonly Submodule[];
  /** What a person should know, one sentence each. */
  readonly notes: readonly string[];
}

export interface BringRequest {
  /** The git store's bare repository; it has the commit. */
  readonly store: string;
  /** The person's repository: its common git directory. */
  readonly repository: string;
  readonly commit: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Brings the commits of all submodules of a commit here, nested ones too, and says where they lie. What was brought once is not asked for
 * again. They come from the person's own clone, else from where the commit's `.gitmodules` or the person's own configuration says; git runs
 * as the person there, with their credentials, but without hooks and only over https, ssh and relative paths. Rejects with
 * `repository/submodule-missing`.
 */
export async function bringSubmodules(request: BringRequest): Promise<Submodules> {
  const home = {
    modules: join(request.repository, 'modules'),
    config: request.repository,
    address: await homeOf(request),
  };
  const found: { all: Submodule[]; notes: string[] } = { all: [], notes: [] };
  await bringBelow(request, { gitDir: request.store, commit: request.commit, path: '', chain: [], home, found });
  return found;
}

/** Where the repository that has the submodules lies, as far as a person's clone and an address know it. */
interface Home {
  /** Folder with the person's clones of its submodules, by name. */
  readonly modules: string;
  /** A git directory of the person's whose configuration may say where submodules are; undefined for a submodule that they do not have. */
  readonly config: string | undefined;
  readonly address: string;
}

interface Level {
  readonly gitDir: string;
  readonly commit: string;
  readonly path: string;
  /** Names on the way here. */
  readonly chain: readonly string[];
  readonly home: Home;
  readonly found: { all: Submodule[]; notes: string[] };
}

/** Deeper nesting is a mistake, or a trap. */
const MOST_LEVELS = 8;

async function bringBelow(request: BringRequest, level: Level): Promise<void> {
  const { gitDir, commit, path, chain, home, found } = level;
  const { declared, unnamed } = await submodulesIn(gitDir, commit);
  for (const link of unnamed)
    found.notes.push(`${below(path, link)} is a submodule without an entry in .gitmodules: it stays empty.`);
  if (declared.length > 0 && chain.length >= MOST_LEVELS) {
    found.notes.push(`Submodules within ${path} are nested too deeply: they stay empty.`);
    return;
  }
  for (const submodule of declared) {
    const names = [...chain, submodule.name];
    const side = await sideRepository(request.store, names);
    const own = join(home.modules, submodule.name);
    const hasOwn = (await stat(join(own, 'HEAD')).catch(() => undefined)) !== undefined;
    const url = await ownUrl(home, submodule);
    const address = url === undefined ? undefined : sourceAddress(url, home.address);
    const where = below(path, submodule.path);
    await bringOne(request, { side, submodule, where, own: hasOwn ? own : undefined, address });
    found.all.push({ path: where, commit: submodule.commit, gitDir: side });
    await bringBelow(request, {
      gitDir: side,
      commit: submodule.commit,
      path: where,
      chain: names,
      home: {
        modules: join(own, 'modules'),
        config: hasOwn ? own : undefined,
        address: address?.kind === 'allowed' ? address.address : '',
      },
      found,
    });
  }
}

function below(path: string, inner: string): string {
  return path === '' ? inner : `${path}/${inner}`;
}

interface Bringing {
  readonly side: string;
  readonly submodule: DeclaredSubmodule;
  readonly where: string;
  readonly own: string | undefined;
  readonly address: SourceAddress | undefined;
}

async function bringOne(request: BringRequest, bringing: Bringing): Promise<void> {
  const { side, submodule, where, own, address } = bringing;
  const { commit } = submodule;
  if ((await readRef(side, fetchedRef(commit))) === commit) return;
  const tried: string[] = [];
  if (own === undefined) tried.push('your clone does not have it');
  else {
    const result = await fetchFrom(request, { side, commit, from: own, protocol: 'own' });
    if (result.code === 0) return;
    tried.push(`your clone of it: ${lastLine(result)}`);
  }
  if (address === undefined) tried.push('.gitmodules does not say where it is');
  else if (address.kind === 'refused') tried.push(address.why);
  else {
    const result = await fetchFrom(request, { side, commit, from: address.address, protocol: address.protocol });
    if (result.code === 0) return;
    tried.push(`${address.protocol}: ${lastLine(result)}`);
  }
  throw missing({ where, commit, tried });
}

interface Fetching {
  readonly side: string;
  readonly commit: string;
  readonly from: string;
  readonly protocol: 'own' | 'https' | 'ssh' | 'file';
}

const LONGEST_MS = 10 * 60_000;
const COMMON = [
  'fetch',
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-auto-maintenance',
  '--no-recurse-submodules',
];
const FROM_HERE = "--upload-pack=git -c uploadpack.allowAnySHA1InWant=true -c 'safe.directory=*' upload-pack";

/** First the commit alone, then, where a server gives out none by its id, all branches and tags. */
async function fetchFrom({ signal }: BringRequest, { side, commit, from, protocol }: Fetching): Promise<GitResult> {
  const late = AbortSignal.timeout(LONGEST_MS);
  const isHere = protocol === 'own' || protocol === 'file';
  const options = {
    gitDir: side,
    signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    ...(isHere ? {} : ({ flavour: 'user', env: { GIT_ALLOW_PROTOCOL: protocol } } as const)),
  };
  const ref = fetchedRef(commit);
  const common = isHere ? [...COMMON, FROM_HERE] : COMMON;
  try {
    const alone = await runGit([...common, '--depth=1', '--', from, `${commit}:${ref}`], options);
    if (alone.code === 0 || isHere) return alone;
    const whole = await runGit(
      [...common, '--', from, '+refs/heads/*:refs/remote/heads/*', '+refs/tags/*:refs/remote/tags/*'],
      options,
    );
    if (whole.code !== 0) return alone;
    const kept = await runGit(['update-ref', ref, commit], { gitDir: side });
    return kept.code === 0 ? kept : { ...kept, stderr: `the commit ${commit} is in none of its branches` };
  } catch (error) {
    signal?.throwIfAborted();
    if (late.aborted)
      return { code: 1, stdout: Buffer.alloc(0), stderr: `it took longer than ${LONGEST_MS / 60_000} minutes` };
    throw error;
  }
}

function lastLine({ stderr }: GitResult): string {
  const text = stderr.trim().split('\n').at(-1) ?? '';
  return text.replace(/(:\/\/[^/@:]*):[^/@]*@/g, '$1:…@').slice(0, 300);
}

/** Where the person's configuration says that it is, as `git submodule init` leaves it there; else as the commit says. */
async function ownUrl({ config }: Home, { name, url }: DeclaredSubmodule): Promise<string | undefined> {
  if (config === undefined) return url;
  const { code, stdout } = await runGit(['config', '--get', `submodule.${name}.url`], {
    gitDir: config,
    flavour: 'user',
  });
  const own = stdout.toString().trim();
  return code === 0 && own !== '' && sourceAddress(own, '').kind === 'allowed' ? own : url;
}

/** What relative addresses are relative to: the repository's remote, or itself where it has none. */
async function homeOf({ repository }: BringRequest): Promise<string> {
  const { code, stdout } = await runGit(['config', '--get', 'remote.origin.url'], {
    gitDir: repository,
    flavour: 'user',
  });
  const remote = stdout.toString().trim();
  if (code === 0 && remote !== '') return remote;
  return basename(repository) === '.git' ? dirname(repository) : repository;
}

/** One for each submodule by its name, whatever commits are wanted of it. */
async function sideRepository(store: string, names: readonly string[]): Promise<string> {
  const name = createHash('sha256').update(names.join('\0')).digest('hex').slice(0, 16);
  const path = join(store, 'submodules', `${name}.git`);
  if ((await stat(path).catch(() => undefined)) === undefined) {
    await mkdir(dirname(path), { recursive: true });
    await createBareRepository(path, 'sha1');
  }
  return path;
}

function missing({
  where,
  commit,
  tried,
}: {
  where: string;
  commit: string;
  tried: readonly string[];
}): SwitchyardError {
  return new SwitchyardError({
    code: 'repository/submodule-missing',
    message: `The submodule ${where} could not be brought at commit ${commit.slice(0, 12)}: ${tried.join('; ')}.`,
    hint: 'Have it in your clone, then start again: git submodule update --init --recursive',
    retry: 'backoff',
  });
}
