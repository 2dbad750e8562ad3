import { mkdirSync } from 'node:fs';
import { constants, copyFile, mkdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { isDiskFull } from '../lib/copy-tree.ts';
import { SwitchyardError } from '../lib/error.ts';
import { lowPriority } from '../lib/exec/low-priority.ts';
import type { Place, WorkspaceProvider } from '../ports/workspace.ts';
import { BaseGone, type Bases } from './bases/bases.ts';
import { type Base, filesOf, homeOf, indexOf } from './bases/records.ts';
import { catchUp, checkOut } from './check-out.ts';
import { restampIndex } from './index-stat.ts';
import type { Layout } from './layout.ts';
import type { Marker } from './marker.ts';
import type { Head, Site } from './site.ts';

/** What git takes to write a file, in milliseconds: a provider that takes longer is no help with the files of a commit. */
export const CHECKOUT_MS = 0.2;

export interface LayFiles {
  readonly head: Head;
  readonly provider: WorkspaceProvider;
  readonly bases: Bases | undefined;
  readonly clock: Clock;
  readonly source: Base<'source'> | undefined;
  readonly dependencies: Base<'dependencies'> | undefined;
  /** Nobody waits for it: it makes room for others. */
  readonly quiet?: boolean;
  readonly signal: AbortSignal;
}

export interface LaidFiles {
  readonly laid: NonNullable<Marker['laid']>;
  /** The index holds for files that are all older than it. */
  readonly settled: boolean;
}

/**
 * Fills a workspace's checkout with the files of a commit, laid over bases where there are some, and writes git's index of them; the
 * harness's git directory and an empty HOME are there. Rejects with `BaseGone` when a base went meanwhile.
 */
export async function layFiles(site: Pick<Site, 'layout'>, lay: LayFiles): Promise<LaidFiles> {
  const { layout } = site;
  const { head, provider, bases, source, dependencies, quiet = false, signal } = lay;
  const over = [source, dependencies].filter((base) => base !== undefined);
  const put = async (): Promise<void> => {
    mkdirSync(layout.layers, { recursive: true, mode: 0o700 });
    const home = dependencies?.hasHome === true ? [homeOf(dependencies)] : [];
    await provider.lay({ ...treePlace(layout), layers: over.map((base) => filesOf(base)), quiet, signal });
    if (home.length > 0) await provider.lay({ ...homePlace(layout), layers: home, quiet, signal });
  };
  await (bases === undefined || over.length === 0 ? put() : bases.over(over, put));
  const at = { gitDir: layout.git, folder: layout.tree, signal };
  let settled = false;
  if (source === undefined) {
    await checkOut({ ...at, commit: head.commit, prefix: quiet ? await lowPriority() : [] });
  } else {
    const index = join(layout.git, 'index');
    settled = (await putIndex(index, { source, lay, tree: layout.tree })) && source.commit === head.commit;
    if (source.commit !== head.commit) await catchUp({ ...at, from: source.commit, to: head.commit });
  }
  const names = over.map(({ name }) => name);
  return {
    laid: { provider: provider.kind, tree: names, home: dependencies?.hasHome === true ? [dependencies.name] : [] },
    settled,
  };
}

/**
 * Puts git's index of a base in place, so that it holds for the files as they were laid. Git trusts it about files that are older than
 * itself by a second at least, and reads the others until the index is written again (`settled` says that it need not be). Copies are as
 * old as their making: where they are many, the second's end is waited for, which takes less time than reading all of them.
 */
async function putIndex(index: string, { source, lay, tree }: { source: Base<'source'>; lay: LayFiles; tree: string }) {
  const { provider, clock, signal } = lay;
  await copyFile(indexOf(source), index, constants.COPYFILE_FICLONE);
  if (provider.sameFiles) return isPast(source.madeAt, clock);
  const made = clock.now();
  await restampIndex({ index, tree, mtime: made / 1000 });
  if (source.files > FEW) {
    await clock.sleep((Math.floor(clock.now() / 1000) + 1) * 1000 - clock.now(), signal);
    signal.throwIfAborted();
    await utimes(index, clock.now() / 1000, clock.now() / 1000);
  }
  return source.files > FEW;
}

const isPast = (time: number, clock: Clock): boolean => Math.floor(time / 1000) < Math.floor(clock.now() / 1000);

/** So many files are read in less time than a second's end takes to come. */
const FEW = 2000;

/** Takes everything away again that `layFiles` has put in its places. */
export async function takeUp({ layout }: Pick<Site, 'layout'>, provider: WorkspaceProvider): Promise<void> {
  for (const place of [treePlace(layout), homePlace(layout)]) {
    await provider.release(place);
    for (const folder of [place.folder, place.beside])
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  await mkdir(layout.home, { mode: 0o700 });
}

/** The folders as they were left, after harness or machine was started again; false when they cannot be had. */
export async function resumeFiles(
  layout: Layout,
  { laid, provider, bases }: { laid: NonNullable<Marker['laid']>; provider: WorkspaceProvider; bases: string },
): Promise<boolean> {
  if (laid.provider !== provider.kind) return false;
  const layers = (names: readonly string[], part: string) => names.map((name) => join(bases, name, part));
  if (!(await provider.resume({ ...treePlace(layout), layers: layers(laid.tree, 'files') }))) return false;
  return laid.home.length === 0 || provider.resume({ ...homePlace(layout), layers: layers(laid.home, 'home') });
}

/** Whether laying again, on other bases or none, can help. */
export function isWorthAnother(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted || isDiskFull(error)) return false;
  return error instanceof BaseGone || !(error instanceof SwitchyardError && error.retry === 'backoff');
}

export function treePlace({ tree, layers }: Layout): Place {
  return { folder: tree, beside: join(layers, 'tree') };
}

export function homePlace({ home, layers }: Layout): Place {
  return { folder: home, beside: join(layers, 'home') };
}
