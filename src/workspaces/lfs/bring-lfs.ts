import { runGit } from '../../lib/git/git.ts';
import {
  hasLfsObject,
  type LfsPointer,
  lfsObject,
  lfsPointersAt,
  listLfsObjects,
  placeLfsObject,
  usesLfs,
} from '../../lib/git/lfs.ts';
import { downloadLfs } from './download.ts';
import { lfsEndpoint } from './endpoint.ts';

export interface BringLfsRequest {
  /** The git store's bare repository; it has the commit. */
  readonly store: string;
  /** The person's repository: its common git directory. */
  readonly repository: string;
  readonly commit: string;
  readonly signal?: AbortSignal | undefined;
}

const NAMED = 3;

/**
 * Brings the contents of a commit's LFS files into the store: from the person's clone, else from the repository's LFS server. Those that do
 * not come stay pointers; that is said. Returns what a person should know. A repository without LFS costs one look.
 */
export async function bringLfs({
  store,
  repository,
  commit,
  signal = new AbortController().signal,
}: BringLfsRequest): Promise<string[]> {
  if (!(await usesLfs(store, commit))) return [];
  const missing: LfsPointer[] = [];
  for (const pointer of await lfsPointersAt(store, commit)) {
    signal.throwIfAborted();
    const { oid } = pointer;
    if (await hasLfsObject(store, oid)) continue;
    if (!(await placeLfsObject(lfsObject(repository, oid), { gitDir: store, oid, move: false }))) missing.push(pointer);
  }
  if (missing.length === 0) return [];
  const endpoint = lfsEndpoint({
    configured: await configured(['--get', 'lfs.url'], repository, 'user'),
    committed: await configured(['--no-includes', `--blob=${commit}:.lfsconfig`, '--get', 'lfs.url'], store, 'harness'),
    remote: await configured(['--get', 'remote.origin.url'], repository, 'user'),
  });
  const why =
    endpoint === undefined
      ? 'no server of it is known'
      : await downloadLfs(missing, { endpoint, gitDir: store, signal });
  const left: LfsPointer[] = [];
  for (const pointer of missing) if (!(await hasLfsObject(store, pointer.oid))) left.push(pointer);
  if (left.length === 0) return [];
  const more = left.length > NAMED ? ` and ${left.length - NAMED} more` : '';
  const names = left.slice(0, NAMED).map(({ path }) => path);
  return [
    `LFS files of which only the pointers are here: ${names.join(', ')}${more} (${why ?? 'they did not come'}). \`git lfs pull\` in your clone brings them.`,
  ];
}

/** Takes what the filter has kept in a workspace's git directory over into the store, where each is what its name says. */
export async function takeLfsObjects(gitDir: string, store: string): Promise<void> {
  for (const oid of await listLfsObjects(gitDir))
    await placeLfsObject(lfsObject(gitDir, oid), { gitDir: store, oid, move: true });
}

async function configured(
  args: readonly string[],
  gitDir: string,
  flavour: 'user' | 'harness',
): Promise<string | undefined> {
  const { code, stdout } = await runGit(['config', ...args], { gitDir, flavour });
  const text = stdout.toString().trim();
  return code === 0 && text !== '' ? text : undefined;
}
