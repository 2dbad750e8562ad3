import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isBelow } from '../../domain/inner-folder.ts';
import { writeCommit, writeTreeOfFolders } from '../../lib/git/commits.ts';
import { runGit } from '../../lib/git/git.ts';
import { readLooseCommit } from '../../lib/git/loose-commits.ts';
import { readLooseTree } from '../../lib/git/loose-trees.ts';
import { putOwnFile, readOwnFile } from '../../lib/own-file.ts';
import { readable } from '../raw-differences.ts';
import { salvage } from '../salvage.ts';
import { runScriptOrThrow } from '../sandboxed.ts';
import { type Site, SWITCHYARD } from '../site.ts';
import { headOf } from '../take-commits.ts';
import { bringSubmodules, type Submodule } from './bring-submodules.ts';
import { indexName, laySubmodules } from './lay-submodules.ts';

/** Which submodules lie in a workspace; beside the harness's git directory, where no program of a run can write. */
const Laid = z.array(z.object({ path: z.string(), commit: z.string() }));
type Laid = z.infer<typeof Laid>;

/**
 * Has a workspace's checkout hold the files of the submodules that a commit names: those that are not there, or are there at another
 * commit. Nobody is at work in it. What stands in place of changed files is what the commit says, so whoever wants them takes
 * `keepSubmoduleChanges` first. Returns what a person should know. Without submodules this costs one look into the commit.
 */
export async function layWorkspaceSubmodules(
  { layout, store, sparse }: Pick<Site, 'layout' | 'store' | 'sparse'>,
  { commit, fresh, signal }: { commit: string; fresh: boolean; signal?: AbortSignal },
): Promise<readonly string[]> {
  const before = fresh ? [] : await readLaid(layout.git);
  if (before.length === 0 && !(await hasGitmodules(store.path, commit))) return [];
  const { all: declared, notes } = await bringSubmodules({
    store: store.path,
    repository: store.repository,
    commit,
    signal,
  });
  const all = declared.filter(({ path }) => sparse === undefined || isBelow(path, sparse));
  const wanted: Submodule[] = [];
  for (const submodule of all) {
    const same = before.some(({ path, commit: at }) => path === submodule.path && at === submodule.commit);
    const within = wanted.some(({ path }) => submodule.path.startsWith(`${path}/`));
    if (within || !same || (await isEmpty(join(layout.tree, submodule.path)))) wanted.push(submodule);
  }
  await laySubmodules({ folder: layout.tree, submodules: wanted, indexes: indexesOf(layout.git), signal });
  await writeLaid(
    layout.git,
    all.map(({ path, commit: at }) => ({ path, commit: at })),
  );
  return fresh ? notes : [];
}

/** The same for the commit that the workspace stands on, where programs may have removed what was laid; else it costs next to nothing. */
export async function mendWorkspaceSubmodules(
  site: Pick<Site, 'layout' | 'store' | 'sparse'>,
  commit: string,
): Promise<void> {
  if ((await readLaid(site.layout.git)).length > 0) await layWorkspaceSubmodules(site, { commit, fresh: false });
}

/**
 * What programs have changed within submodules is no part of the run's commits, whose gitlinks stay: it is kept below a salvage ref, and
 * said once. One look per submodule, in the sandbox.
 */
export async function keepSubmoduleChanges(
  site: Site,
  give: (tree: string) => Promise<void>,
): Promise<readonly string[]> {
  const { layout, store, base } = site;
  const laid = await readLaid(layout.git);
  if (laid.length === 0) return [];
  const { date } = await headOf(store.path, base);
  const notes: string[] = [];
  for (const { path } of laid) {
    const index = join(indexesOf(layout.git), indexName(path));
    const { stdout } = await runScriptOrThrow(site, { name: 'submodule', text: CHANGES, args: [index, path] });
    const at = stdout.indexOf('\n');
    const tree = stdout.subarray(0, at).toString();
    if (tree === '') continue;
    await give(tree);
    const whole = await treeAt(store.path, path, tree);
    const someone = { ...SWITCHYARD, date };
    const message = `Changes within the submodule ${path}\n`;
    const commit = await writeCommit(store.path, {
      tree: whole,
      parents: [base],
      author: someone,
      committer: someone,
      message,
    });
    const kept = await salvage(site, [{ name: 'submodule', commit }]);
    if (kept.length > 0)
      notes.push(
        `${path} is a submodule: changes within it are left out (${named(stdout.subarray(at + 1))}).`,
        ...kept,
      );
  }
  return notes;
}

const NAMED = 3;

function named(list: Buffer): string {
  const paths = list
    .toString('latin1')
    .split('\0')
    .slice(0, -1)
    .map((path) => readable(path));
  const more = paths.length - NAMED;
  return `${paths.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/**
 * With the index of a submodule's files ($1) and its path ($2): nothing when all is as it was laid, else a tree of the changed and new
 * files, and their names. Repositories within it are left out, and what is gone is in the submodule all the same.
 */
const CHANGES = `
[ -d "$GIT_WORK_TREE/$2" ] || exit 0
GIT_INDEX_FILE=$1 GIT_WORK_TREE=$GIT_WORK_TREE/$2
export GIT_INDEX_FILE GIT_WORK_TREE
cd "$GIT_WORK_TREE" || exit 1
git update-index -q --refresh >/dev/null 2>&1
git ls-files -z --deduplicate --modified --others --exclude-standard >"$1.changed" || exit 1
[ -s "$1.changed" ] || exit 0
GIT_INDEX_FILE=$1.tree
rm -f "$GIT_INDEX_FILE"
grep -zv '/$' "$1.changed" | git update-index -z --add --remove --stdin || exit 1
[ -n "$(git ls-files)" ] || exit 0
tree=$(git write-tree) || exit 1
echo "$tree"
git ls-files -z`;

/** A tree that holds another one at that path. */
async function treeAt(store: string, path: string, tree: string): Promise<string> {
  let whole = tree;
  for (const name of path.split('/').reverse()) whole = await writeTreeOfFolders(store, new Map([[name, whole]]));
  return whole;
}

const indexesOf = (git: string): string => join(git, 'submodules');
const recordOf = (git: string): string => join(git, 'submodules.json');

async function readLaid(git: string): Promise<Laid> {
  try {
    return Laid.parse(JSON.parse((await readOwnFile(recordOf(git))) ?? ''));
  } catch {
    return []; // none were laid, or the laying was cut off: then they are laid again
  }
}

async function writeLaid(git: string, laid: Laid): Promise<void> {
  await putOwnFile(recordOf(git), JSON.stringify(laid));
}

async function hasGitmodules(store: string, commit: string): Promise<boolean> {
  const loose = await readLooseCommit(store, commit);
  const entries = loose === undefined ? undefined : await readLooseTree(store, loose.tree);
  if (entries !== undefined) return entries.some(({ name }) => name === '.gitmodules');
  return (await runGit(['cat-file', '-e', `${commit}:.gitmodules`], { gitDir: store })).code === 0;
}

async function isEmpty(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() !== true || (await readdir(folder)).length === 0;
}
