import { between, type CrashPoint } from '../lib/crash-point.ts';
import { dateNow, isAncestor, mergeBase, treeOf, writeCommit } from '../lib/git/commits.ts';
import { rebaseChain } from '../lib/git/rebase.ts';
import { withTrailers } from '../lib/git/trailers.ts';
import type { Forge } from '../ports/forge.ts';
import { type RunGit, StepAborted } from '../ports/node.ts';
import type { Queries } from '../store/database.ts';
import { intendMerge } from '../store/runs.ts';
import { type GitStore, runRef, salvageRef } from '../workspaces/git-store.ts';
import type { Claim } from './claim.ts';

interface RunGitParts {
  readonly database: Queries;
  readonly claimed: Claim;
  readonly store: GitStore;
  readonly forge: Forge;
  readonly crashPoint: CrashPoint;
}

/** Git on a run's commits in the store; nothing here needs a checkout. */
export function runGit({ database, claimed, store, forge, crashPoint }: RunGitParts): RunGit {
  const run = claimed.run.id;
  const gitDir = store.path;
  return {
    treeOf: (commit) => treeOf(gitDir, commit),
    isAncestor: (ancestor, descendant) => isAncestor(gitDir, ancestor, descendant),
    mergeBase: (a, b) => mergeBase(gitDir, a, b),
    async fetchBranch(branch) {
      const commit = await forge.branch(branch);
      return commit === undefined ? undefined : store.fetchCommit(commit);
    },
    rebase: ({ base, head, onto }) =>
      between(crashPoint, 'rebase', async () => {
        const result = await rebaseChain({ gitDir, base, head, onto });
        if (result.kind === 'conflict') return { kind: 'conflict', files: result.files };
        await store.keep(runRef(run, 'rebased'), result.head);
        return { kind: 'rebased', head: result.head };
      }),
    async squash({ onto, head, text }) {
      const date = dateNow();
      const commit = await writeCommit(gitDir, {
        tree: await treeOf(gitDir, head),
        parents: [onto],
        author: { ...text.identity, date },
        committer: { name: 'Switchyard', email: 'switchyard@localhost', date },
        message: withTrailers(text.message, text.trailers),
      });
      await store.keep(runRef(run, 'squashed'), commit);
      return commit;
    },
    landed: (commit) => store.shares(commit),
    async salvage(commit, name) {
      await store.keep(salvageRef(run, name), commit);
    },
    async intend(merge) {
      const held = { run, step: claimed.step.id, attempt: claimed.attempt };
      const merging = { ...merge, head: claimed.run.head };
      if (!(await intendMerge(database, merging, held))) throw new StepAborted('lost');
    },
    async intended(target) {
      const { merging, head } = claimed.run;
      return merging?.target === target && merging.head === head ? merging : undefined;
    },
  };
}
