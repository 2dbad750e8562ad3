import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../src/lib/error.ts';
import { runOwn } from '../../src/lib/exec/own-program.ts';
import { imageDisk } from '../../src/testing/small-disk.ts';
import { type TempFolder, type TempRepository, tempFolder } from '../../src/testing/temp-repository.ts';
import { type Bench, median, type Row, round, rowOf } from './row.ts';
import { sampleRepository } from './sample-repository.ts';
import { measureAsUser } from './workspaces/as-user.ts';
import { ByHand, worktreeAdd } from './workspaces/by-hand.ts';
import { Claims, type ClaimsParts } from './workspaces/claims.ts';
import { type ClaimFigures, measureClaims, type Rounds } from './workspaces/rounds.ts';

const SIZES = [500, 2000, 20_000];
const DEPENDENCIES = 30_000;
const AT_ONCE = 30;
const USER = 65_534;

type Provider = ClaimsParts['provider'];

interface Sample {
  readonly size: number;
  readonly small: boolean;
  readonly repository: TempRepository;
  /** The files that setup makes. */
  readonly dependencies: string;
}

/**
 * From the wish for a workspace to its first program's end, by every way of making workspaces that this machine has, beside the least that
 * anybody could do by hand for the same in the same rounds. Each repository has dependencies that setup makes; `behind` is where what is
 * ready is a hundred files behind the commit that is wanted.
 */
export const workspaces: Bench = async ({ small }) => {
  await using scratch = await tempFolder('switchyard-bench');
  const dependencies = join(scratch.path, 'dependencies');
  await fill(dependencies, small ? DEPENDENCIES / 10 : DEPENDENCIES);
  await runOwn('chmod', ['755', scratch.path]);
  const rows: Row[] = [];
  for (const full of SIZES) {
    const size = small ? full / 10 : full;
    await using repository = await repositoryOf(size);
    const sample = { size, small, repository, dependencies };
    rows.push(...(await overlay(sample, full === Math.max(...SIZES))));
    await using disk = await reflinkDisk(small);
    if (disk === undefined) skip(`claim-${size}-reflink`, 'no XFS or btrfs image can be mounted here');
    else rows.push(...(await alone('reflink', sample, disk.path)));
    rows.push(...(await alone('copy', sample)));
    rows.push(...(await asUser('copy', sample)));
    if (disk !== undefined) rows.push(...(await asUser('reflink', sample, disk.path)));
    rows.push(rowOf(`worktree-add-${size}`, 'ms', await worktrees(sample)));
  }
  return rows;
};

/** The provider whose cost does not grow with the files, round by round with what is done by hand. */
async function overlay(sample: Sample, atOnce: boolean): Promise<Row[]> {
  const { size, small } = sample;
  await using folder = await tempFolder('switchyard-bench');
  let hand: ByHand | undefined;
  const floors: number[] = [];
  const beside = async (claims: Claims, n: number): Promise<void> => {
    hand ??= await byHand(claims, folder.path);
    floors.push(await hand.claim(`hand-${n}`));
    await hand.remove(`hand-${n}`);
  };
  const parts = partsOf('overlay', sample, folder.path);
  const rounds = small ? { claims: 3, behind: 3 } : { claims: 15, behind: 9 };
  try {
    const figures = await measureClaims(parts, rounds, beside);
    const floor = round(median(floors));
    const rows = [...rowsOf('overlay', size, figures, floor), rowOf(`floor-${size}`, 'ms', floors)];
    return atOnce ? [...rows, ...(await together(sample))] : rows;
  } catch (error) {
    skip(`claim-${size}-overlay`, messageOf(error));
    return [];
  } finally {
    await hand?.[Symbol.asyncDispose]();
  }
}

/** So many at once, the floor by hand in the same rounds. */
async function together(sample: Sample): Promise<Row[]> {
  await using folder = await tempFolder('switchyard-bench');
  await using claims = await Claims.begin(partsOf('overlay', sample, folder.path));
  await claims.warm();
  await using hand = await byHand(claims, folder.path);
  const names = Array.from({ length: sample.small ? AT_ONCE / 10 : AT_ONCE }, (_, n) => `run-${n}`);
  const [all, floors]: [number[], number[]] = [[], []];
  for (let n = 0; n <= (sample.small ? 2 : 7); n += 1) {
    const took = await timed(() => Promise.all(names.map((name) => claims.claim(name, claims.commits.before))));
    for (const name of names) await claims.remove(name);
    const floor = await timed(() => Promise.all(names.map((name) => hand.claim(name))));
    for (const name of names) await hand.remove(name);
    if (n === 0) continue; // warm-up
    all.push(took);
    floors.push(floor);
  }
  const floor = round(median(floors));
  return [
    rowOf('thirty-at-once', 'ms', all, { floor, budget: round(1.5 * floor) }),
    rowOf('thirty-floor', 'ms', floors),
  ];
}

/** On a disk of its own where the provider needs one. */
async function alone(provider: Provider, sample: Sample, disk?: string): Promise<Row[]> {
  await using folder = disk === undefined ? await tempFolder('switchyard-bench') : await folderOn(disk);
  try {
    const figures = await measureClaims(partsOf(provider, sample, folder.path), fewRounds(sample));
    return rowsOf(provider, sample.size, figures);
  } catch (error) {
    skip(`claim-${sample.size}-${provider}`, messageOf(error));
    return [];
  }
}

/** By an ordinary user, with a repository and a folder of their own. */
async function asUser(provider: Provider, sample: Sample, disk?: string): Promise<Row[]> {
  const name = `claim-${sample.size}-${provider}-user`;
  if (process.geteuid?.() !== 0) return []; // then all rows are an ordinary user's
  await using folder = disk === undefined ? await tempFolder('switchyard-bench') : await folderOn(disk);
  const repository = join(folder.path, 'repository');
  await runOwn('cp', ['-a', sample.repository.path, repository]);
  await runOwn('chown', ['-R', `${USER}:${USER}`, folder.path]);
  if (disk !== undefined) await runOwn('chmod', ['755', disk, join(disk, '..')]);
  const parts = { ...partsOf(provider, sample, folder.path), repository };
  const figures = await measureAsUser(parts, { uid: USER, rounds: fewRounds(sample) });
  if ('missing' in figures) {
    skip(name, figures.missing);
    return [];
  }
  return [rowOf(name, 'ms', figures.claims), rowOf(`${name}-behind`, 'ms', figures.behind)];
}

async function worktrees({ size, repository, small }: Sample): Promise<number[]> {
  await using folder = await tempFolder('switchyard-bench');
  const took: number[] = [];
  for (let n = 0; n < (small ? 1 : size >= 20_000 ? 3 : 7); n += 1)
    took.push(await worktreeAdd(repository.path, join(folder.path, `tree-${n}`), 'main~1'));
  return took;
}

function rowsOf(
  provider: Provider,
  size: number,
  { opened, claims, behind, disk }: ClaimFigures,
  floor?: number,
): Row[] {
  const name = `claim-${size}-${provider}`;
  return [
    rowOf(name, 'ms', claims, floor === undefined ? {} : { floor, budget: round(3 * floor) }),
    rowOf(`open-${size}-${provider}`, 'ms', opened),
    rowOf(`${name}-behind`, 'ms', behind),
    rowOf(
      `disk-${size}-${provider}`,
      'MB',
      disk.map((bytes) => bytes / 1e6),
    ),
  ];
}

async function byHand(claims: Claims, folder: string): Promise<ByHand> {
  const own = join(folder, 'by-hand');
  await mkdir(own);
  return ByHand.begin({
    folder: own,
    store: claims.store.path,
    commit: claims.commits.before,
    ...(await claims.bases()),
  });
}

function partsOf(provider: Provider, { repository, dependencies }: Sample, folder: string): ClaimsParts {
  return { folder, repository: repository.path, dependencies, provider };
}

function fewRounds({ size, small }: Sample): Rounds {
  if (small) return { claims: 2, behind: 1 };
  return size >= 20_000 ? { claims: 3, behind: 2 } : { claims: 5, behind: 3 };
}

/** A repository of so many files, whose last commit changes a hundred of them. */
async function repositoryOf(size: number): Promise<TempRepository> {
  const repository = await sampleRepository(size, { 'config.yaml': 'checks: {}\n' });
  await repository.commit({ 'package-lock.json': '{}\n', '.gitignore': 'node_modules\n' }, 'Dependencies');
  const some = Array.from({ length: Math.min(100, size) }, (_, n) => Math.floor((n * size) / Math.min(100, size)));
  await repository.commit(
    Object.fromEntries(some.map((n) => [`src/module-${n % 25}/file-${n}.txt`, `changed ${n}\n`])),
    'A hundred files',
  );
  return repository;
}

async function fill(folder: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const inner = join(folder, `package-${Math.floor(n / 100)}`, 'lib');
    if (n % 100 === 0) await mkdir(inner, { recursive: true });
    await writeFile(join(inner, `file-${n}.js`), `${'module.exports = 1;\n'.repeat(20)}// ${n}\n`);
  }
}

async function reflinkDisk(small: boolean): Promise<TempFolder | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const size = small ? '600M' : '8G';
  return (await imageDisk('xfs', size)) ?? imageDisk('btrfs', size);
}

async function folderOn(disk: string): Promise<TempFolder> {
  const path = await mkdtemp(join(disk, 'bench-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function skip(name: string, why: string): void {
  process.stderr.write(`${name} is left out: ${why}\n`);
}
