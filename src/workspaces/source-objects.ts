import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere } from '../lib/is-there.ts';
import { createBareRepository } from './create-bare-repository.ts';

/**
 * A git store keeps its objects in two places. What was fetched from the person's repository lies in a bare repository of its own within
 * the store's folder: programs of every run may read that. What runs make of it lies among the store's own objects, which borrow from the
 * former; of those, programs of a run are shown only what is their run's (`shown-objects.ts`).
 */

/** The bare repository within a store that holds what was fetched, and nothing that a run has made. */
export const sourceOf = (store: string): string => join(store, 'source');

/** Its objects, for programs to read. */
export const sourceObjects = (store: string): string => join(sourceOf(store), 'objects');

/**
 * Makes that repository where it is not there, and has the store borrow from it. A store of before has everything among its own objects;
 * they stay, and what is fetched from then on comes here.
 */
export async function openSource(store: string, objectFormat: string): Promise<string> {
  const source = sourceOf(store);
  if (!(await isThere(source))) await createBareRepository(source, objectFormat);
  const alternates = join(store, 'objects/info/alternates');
  const text = await readFile(alternates, 'utf8').catch(whenMissing);
  if (!text.split('\n').includes(BORROWED)) {
    const draft = `${alternates}.${randomBytes(6).toString('hex')}`;
    await mkdir(join(store, 'objects/info'), { recursive: true });
    await writeFile(draft, `${text}${BORROWED}\n`);
    await rename(draft, alternates);
  }
  return source;
}

/** Relative to the store's objects: a store may be moved. */
const BORROWED = '../source/objects';

/** Whether a repository of ours has a ref, as its files say it: no git is started for it. */
export async function hasRef(gitDir: string, ref: string): Promise<boolean> {
  // In this order: packing refs writes the second before it removes the first.
  if (await isThere(join(gitDir, ref))) return true;
  const packed = await readFile(join(gitDir, 'packed-refs'), 'latin1').catch(whenMissing);
  return packed.includes(` ${ref}\n`);
}

function whenMissing(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
  throw error;
}
