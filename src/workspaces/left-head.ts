import { type GitStore, runRef } from './git-store.ts';
import { hasRef } from './source-objects.ts';

/** Where a run's head ref in the store was left. Most new runs have none, and for those no git is started; git itself reads those that are. */
export async function leftHead(store: GitStore, run: string): Promise<string | undefined> {
  const ref = runRef(run, 'head');
  return (await hasRef(store.path, ref)) ? store.resolve(ref) : undefined;
}
