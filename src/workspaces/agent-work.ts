import { join } from 'node:path';
import { runGit } from '../lib/git/git.ts';
import { receivePack } from '../lib/git/packs.ts';
import { takeLfsObjects } from './lfs/bring-lfs.ts';
import { runScript } from './sandboxed.ts';
import type { Site } from './site.ts';
import { LARGEST_FILE } from './tree-scripts.ts';

/** What the agent has in its own git directory, now in the store as well (as objects that no ref keeps yet). */
export interface AgentWork {
  /** The tip of the run's branch, undefined where the agent deleted it. */
  readonly branch: string | undefined;
  /** All other tips (branches, tags, stashes, a detached HEAD): a name for each, and its commit. */
  readonly others: readonly { readonly name: string; readonly commit: string }[];
  /** HEAD is on the run's branch. */
  readonly onBranch: boolean;
  /** All objects are well-formed and complete. Without that they may be kept, never merged. */
  readonly sound: boolean;
}

/**
 * Takes over the commits of the agent's git directory. Git reads that directory in the sandbox, whatever it says; outside, only
 * the pack that comes of it is read. Undefined when git cannot make sense of the directory.
 */
export async function takeAgentWork(site: Site, head: string): Promise<AgentWork | undefined> {
  const { layout, store, slug } = site;
  const pack = join(layout.git, 'agent.pack');
  const { code, stdout } = await runScript(site, {
    name: 'commits',
    text: TAKE,
    env: { GIT_DIR: join(layout.tree, '.git'), ...CLOSED, HEAD_COMMIT: head, PACK: pack },
  });
  if (code !== 0) return undefined;
  // What its commits' LFS pointers stand for.
  await takeLfsObjects(join(layout.tree, '.git'), store.path);
  const tips = tipsOf(stdout.toString());
  const commits = [...new Set(tips.map(({ commit }) => commit))];
  const sound = await receive(store.path, { pack, tips: commits, head });
  if (sound === undefined) return undefined;
  const own = `refs/heads/switchyard/${slug}`;
  const branch = tips.find(({ ref }) => ref === own)?.commit;
  const others = tips.filter(({ ref, commit }) => ref !== own && commit !== branch);
  const onBranch = stdout.toString().startsWith(`${own}\n`);
  return { branch, others: others.map(({ ref, commit }) => ({ name: nameOf(ref), commit })), onBranch, sound };
}

/** Nothing is fetched from anywhere, whatever the agent's configuration says is missing where. */
const CLOSED = { GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none', GIT_WORK_TREE: '' };

/** Bytes that what an agent committed since the head may unpack to; outside of the walls nothing bounds that any more. */
const LARGEST_WORK = 16 * LARGEST_FILE;
/** A pack without deltas unpacks to a thousand times its size at most. */
const HARMLESS_PACK = LARGEST_FILE / 1024;

/** Plumbing only: `git log` and its like start what the agent's configuration names, to look at a signature for one. */
const TAKE = `
unset GIT_WORK_TREE
refs=$(git for-each-ref --format='%(objecttype)%09%(objectname)%09%(*objecttype)%09%(*objectname)%09%(refname)') || exit 1
head=$(git rev-parse --verify --quiet HEAD)
stashes=$(git rev-list --walk-reflogs refs/stash -- 2>/dev/null)
git symbolic-ref --quiet HEAD || echo detached
printf '%s\\n' "$refs"
[ -z "$head" ] || git symbolic-ref --quiet HEAD >/dev/null || printf 'commit\\t%s\\t\\t\\tHEAD\\n' "$head"
for stash in $stashes; do printf 'commit\\t%s\\t\\t\\trefs/stash\\n' "$stash"; done
tips() { git for-each-ref --format='%(objectname)'; printf '%s\\n' $head $stashes "^$HEAD_COMMIT"; }
tips | git pack-objects --revs --stdout -q --window=0 --no-reuse-delta >"$PACK" || exit 1
[ "$(wc -c <"$PACK")" -le ${HARMLESS_PACK} ] || tips |
  git rev-list --objects --no-object-names --stdin | git cat-file --batch-check='%(objectsize)' |
  awk '{ sum += $1; if ($1 > ${LARGEST_FILE} || sum > ${LARGEST_WORK}) exit 1 }'`;

interface Tip {
  readonly ref: string;
  readonly commit: string;
}

function tipsOf(output: string): Tip[] {
  const tips = new Map<string, Tip>();
  for (const line of output.split('\n')) {
    const [type, id, peeledType, peeled, ref = ''] = line.split('\t');
    const commit = type === 'commit' ? id : peeledType === 'commit' ? peeled : undefined;
    if (commit === undefined || ref === 'refs/switchyard/base') continue;
    tips.set(`${ref} ${commit}`, { ref, commit });
  }
  return [...tips.values()];
}

function nameOf(ref: string): string {
  if (ref === 'HEAD') return 'detached';
  return ref.replace(/^refs\/heads\//, '').replace(/^refs\//, '');
}

/** True when everything is well-formed and there, false when it is only there, undefined when something is missing. */
async function receive(
  store: string,
  { pack, tips, head }: { pack: string; tips: readonly string[]; head: string },
): Promise<boolean | undefined> {
  const sound = await received(store, pack, true);
  if (!sound && !(await received(store, pack, false))) return undefined;
  const args = ['rev-list', '--objects', '--quiet', '--stdin'];
  const { code } = await runGit(args, { gitDir: store, input: [...tips, `^${head}`, ''].join('\n') });
  return code === 0 ? sound : undefined;
}

async function received(store: string, pack: string, strict: boolean): Promise<boolean> {
  try {
    await receivePack(store, pack, { strict });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'git/failed') return false;
    throw error;
  }
}
