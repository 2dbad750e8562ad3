import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../src/lib/error.ts';
import { runOwn } from '../../src/lib/exec/own-program.ts';
import type { TempRepository } from '../../src/testing/temp-repository.ts';
import { type Bench, median, type Row, round, rowOf } from './row.ts';
import { measureAsUser } from './workspaces/as-user.ts';
import { ByHand, worktreeAdd } from './workspaces/by-hand.ts';
import { Claims, type ClaimsParts } from './workspaces/claims.ts';
import { folderIn, largeFolder, reflinkDisk } from './workspaces/disk.ts';
import { type ClaimFigures, measureClaims, type Rounds } from './workspaces/rounds.ts';
import { fillDependencies, repositoryOf } from './workspaces/sample.ts';

const SIZES = [500, 2000, 20_000];
const DEPENDENCIES = 30_000;
const AT_ONCE = 30;
const USER = 65_534;

type Provider = ClaimsParts['provider'];

interface Sample {
  readonly size: number;
  readonly repository: TempRepository;
  /** The files that setup makes. */
  readonly dependencies: string;
  /** On the disk that is measured. */
  readonly folder: string;
}

interface Run {
  readonly small: boolean;
  readonly signal: AbortSignal;
  /** Shows a row, and keeps it. */
  readonly show: (row: Row) => void;
}

/**
 * From the wish for a workspace to its first program's end, by every way of making workspaces that this machine has, beside the least that
 * anybody could do by hand for the same in the same rounds, and beside `git worktree add`, which makes no dependencies. Each repository has
 * dependencies that setup makes; `behind` is where what is ready is a hundred files behind the commit that is wanted. Bases are made once
 * for each size and disk, which lie in image files where they can. What is quick comes first.
 */
export const workspaces: Bench = async ({ small, tell, untilStopped }) => {
  const signal = untilStopped();
  const rows: Row[] = [];
  const show = (row: Row): void => {
    rows.push(row);
    tell(row);
  };
  const run = { small, signal, show };
  await using scratch = await largeFolder(small ? '3G' : '24G');
  await using repositories = new AsyncDisposableStack();
  const dependencies = await folderIn(scratch.path, 'dependencies');
  progress('making repositories and dependencies');
  await fillDependencies(dependencies, small ? DEPENDENCIES / 10 : DEPENDENCIES);
  const samples: Sample[] = [];
  for (const full of SIZES) {
    signal.throwIfAborted();
    const size = small ? full / 10 : full;
    const repository = repositories.use(await repositoryOf(size));
    samples.push({ size, repository, dependencies, folder: await folderIn(scratch.path, `${size}`) });
  }
  for (const sample of samples) await overlay(sample, run, sample === samples.at(-1));
  for (const sample of samples) await worktrees(sample, run);
  await using disk = await reflinkDisk(small ? '600M' : '8G');
  signal.throwIfAborted();
  if (disk === undefined) skip('reflink', 'no XFS or btrfs image can be mounted here');
  const onDisk = async (sample: Sample): Promise<Sample[]> =>
    disk === undefined ? [] : [{ ...sample, folder: await folderIn(disk.path, `${sample.size}`) }];
  for (const sample of samples) for (const there of await onDisk(sample)) await alone('reflink', there, run);
  for (const sample of samples) await alone('copy', sample, run);
  if (process.geteuid?.() !== 0) return rows; // then all rows are an ordinary user's
  for (const sample of samples) {
    await asUser('overlay', sample, run);
    for (const there of await onDisk(sample)) await asUser('reflink', there, run);
    await asUser('copy', sample, run);
  }
  return rows;
};

/** The provider whose cost does not grow with the files, round by round with what is done by hand. */
async function overlay(sample: Sample, run: Run, atOnce: boolean): Promise<void> {
  const { size } = sample;
  progress(`overlay, ${size} files: the bases`);
  const parts = partsOf('overlay', sample);
  try {
    await using claims = await Claims.begin(parts, run.signal);
    await claims.warm();
    await using hand = await byHand(claims, sample.folder);
    const floors: number[] = [];
    const beside = async (n: number): Promise<void> => {
      floors.push(await hand.claim(`hand-${n}`));
      await hand.remove(`hand-${n}`);
    };
    progress(`overlay, ${size} files: claims`);
    await claims.claim('warm', claims.commits.before);
    await claims.remove('warm');
    const rounds = run.small ? { claims: 3, behind: 3 } : { claims: 15, behind: 9 };
    const figures = await measureClaims(claims, parts, { ...rounds, leave: false }, beside);
    const floor = round(median(floors));
    show(run, figures, { name: `${size}-overlay`, floor });
    run.show(rowOf(`floor-${size}`, 'ms', floors));
    if (atOnce) await together(claims, hand, run);
  } catch (error) {
    run.signal.throwIfAborted();
    skip(`overlay, ${size} files`, messageOf(error));
  }
}

/** So many at once, the floor by hand in the same rounds. */
async function together(claims: Claims, hand: ByHand, { small, show, signal }: Run): Promise<void> {
  progress('overlay: many at once');
  const names = Array.from({ length: small ? AT_ONCE / 10 : AT_ONCE }, (_, n) => `run-${n}`);
  const [all, floors]: [number[], number[]] = [[], []];
  for (let n = 0; n <= (small ? 2 : 7); n += 1) {
    signal.throwIfAborted();
    const took = await timed(names, (name) => claims.claim(name, claims.commits.before));
    for (const name of names) await claims.remove(name);
    const floor = await timed(names, (name) => hand.claim(name));
    for (const name of names) await hand.remove(name);
    if (n === 0) continue; // warm-up
    all.push(took);
    floors.push(floor);
  }
  const floor = round(median(floors));
  show(rowOf('thirty-at-once', 'ms', all, { floor, budget: round(1.5 * floor) }));
  show(rowOf('thirty-floor', 'ms', floors));
}

/** By a provider that takes time for each file, so that a few rounds have to do. */
async function alone(provider: Provider, sample: Sample, run: Run): Promise<void> {
  progress(`${provider}, ${sample.size} files`);
  try {
    await using claims = await Claims.begin(partsOf(provider, sample), run.signal);
    const figures = await measureClaims(claims, partsOf(provider, sample), fewRounds(run));
    show(run, figures, { name: `${sample.size}-${provider}` });
  } catch (error) {
    run.signal.throwIfAborted();
    skip(`${provider}, ${sample.size} files`, messageOf(error));
  }
}

/** By an ordinary user, to whom repository and home are given. */
async function asUser(provider: Provider, sample: Sample, { small, signal, show: tell }: Run): Promise<void> {
  const { size, folder, repository } = sample;
  progress(`${provider}, ${size} files, as an ordinary user`);
  const home = join(folder, 'home');
  const left = await folderIn(join(folder, '..'), 'left');
  // Workspaces that were left behind stay whose they are.
  await rename(join(home, 'workspaces'), join(left, `${size}-before-${provider}`)).catch(() => undefined);
  const given = await runOwn('chown', ['-R', `${USER}:${USER}`, folder, join(repository.path, '..')], { signal });
  if (given.code !== 0) throw new Error(`chown: ${given.stderr}`);
  const figures = await measureAsUser(partsOf(provider, sample), { uid: USER, rounds: fewRounds({ small }), signal });
  if ('missing' in figures) skip(`${provider}, ${size} files, as an ordinary user`, figures.missing);
  else show({ show: tell }, figures, { name: `${size}-${provider}-user` });
}

async function worktrees({ size, repository, folder }: Sample, { small, signal, show }: Run): Promise<void> {
  progress(`git worktree add, ${size} files`);
  const took: number[] = [];
  const disk: number[] = [];
  for (let n = 0; n < (small ? 1 : 3); n += 1) {
    signal.throwIfAborted();
    const one = await worktreeAdd(repository.path, join(folder, `tree-${n}`), 'main~1');
    took.push(one.took);
    disk.push(one.bytes / 1e6);
  }
  show(rowOf(`worktree-add-${size}`, 'ms', took));
  show(rowOf(`disk-${size}-worktree`, 'MB', disk));
}

function show({ show: tell }: Pick<Run, 'show'>, figures: ClaimFigures, of: { name: string; floor?: number }): void {
  const { opened, claims, behind, disk } = figures;
  const { name, floor } = of;
  tell(rowOf(`claim-${name}`, 'ms', claims, floor === undefined ? {} : { floor, budget: round(3 * floor) }));
  tell(rowOf(`open-${name}`, 'ms', opened));
  tell(rowOf(`claim-${name}-behind`, 'ms', behind));
  const megabytes = disk.map((bytes) => bytes / 1e6);
  tell(rowOf(`disk-${name}`, 'MB', megabytes));
}

async function byHand(claims: Claims, folder: string): Promise<ByHand> {
  const own = await folderIn(folder, 'by-hand');
  const { store, commits } = claims;
  return ByHand.begin({ folder: own, store: store.path, commit: commits.before, ...(await claims.bases()) });
}

function partsOf(provider: Provider, { repository, dependencies, folder }: Sample): ClaimsParts {
  return { folder, repository: repository.path, dependencies, provider };
}

function fewRounds({ small }: Pick<Run, 'small'>): Rounds {
  return small ? { claims: 2, behind: 1, leave: true } : { claims: 3, behind: 1, leave: true };
}

/** How long it took until all was done; where some fails, the rest is waited for all the same. */
async function timed(names: readonly string[], work: (name: string) => Promise<unknown>): Promise<number> {
  const began = performance.now();
  const results = await Promise.allSettled(names.map(work));
  const took = performance.now() - began;
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return took;
}

function skip(what: string, why: string): void {
  process.stderr.write(`left out: ${what}: ${why}\n`);
}

function progress(what: string): void {
  process.stderr.write(`${Math.round(performance.now() / 1000)} s: ${what}\n`);
}
