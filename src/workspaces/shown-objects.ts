import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { alternateObjects } from '../lib/git/alternates.ts';
import { git } from '../lib/git/git.ts';
import { linkLooseObjects } from '../lib/git/link-loose.ts';
import { listRefs } from '../lib/git/refs.ts';
import { fetchedRef } from './fetch-from-user.ts';
import type { Site } from './site.ts';
import { sourceObjects, sourceOf } from './source-objects.ts';

/**
 * Programs of a run read two folders of objects: what was fetched from the person's repository, and `Layout.objects`, what
 * the run's own commits hold beside that. Other runs' commits are in neither.
 */

/** Makes the folder; walls that show it need it to be there. */
export function makeShownObjects(objects: string): void {
  mkdirSync(join(objects, 'pack'), { recursive: true, mode: 0o700 });
}

export interface ShowRequest {
  /** Commits and trees of the run's that are to be readable with all that they stand on; the store has them. */
  readonly wanted: readonly string[];
  /** Those that are readable already. */
  readonly shown: Iterable<string>;
}

type Showing = Pick<Site, 'layout' | 'store' | 'base'>;

/**
 * Has programs of the run read these commits and trees. Costs one program of git, and none for commits that were fetched, or where little is
 * new. What is shown stays so until the workspace goes.
 */
export async function showObjects(site: Showing, { wanted, shown }: ShowRequest): Promise<void> {
  const known = new Set(shown);
  if (wanted.every((id) => known.has(id))) return;
  const { layout, store } = site;
  const below = known.size > 0 ? [...known] : await fetchedBelow(site);
  const missing: string[] = [];
  for (const id of wanted) if (!known.has(id) && !(await store.hasFetched(id))) missing.push(id);
  if (missing.length === 0) return;
  const there = new Set(below);
  const isThere = async (id: string) => there.has(id) || (await store.hasFetched(id));
  const link = { ids: missing, isThere, into: layout.objects };
  if (await linkLooseObjects(store.path, link)) return;
  const input = [...missing, ...below.map((id) => `^${id}`), ''].join('\n');
  const args = ['pack-objects', '--revs', '--quiet', '--non-empty', '--window=0'];
  // Made where it is to lie, which may be another disk than the store's.
  const env = {
    GIT_OBJECT_DIRECTORY: layout.objects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: alternateObjects([join(store.path, 'objects'), sourceObjects(store.path)]),
  };
  await git([...args, join(layout.objects, 'pack/pack')], { gitDir: store.path, env, input });
}

/**
 * Where the run's history meets what was fetched. The base of a run may be in a store that knew no such difference, and is fetched then. If
 * it cannot be (it holds what a person had not committed, or their repository has lost it), all that was fetched is it.
 */
async function fetchedBelow({ store, base }: Showing): Promise<readonly string[]> {
  if (await store.hasFetched(base)) return [base];
  const fetched = await store.fetchCommit(base).catch(() => undefined);
  if (fetched !== undefined) return [fetched];
  return (await listRefs(sourceOf(store.path), fetchedRef(''))).map(({ commit }) => commit);
}
