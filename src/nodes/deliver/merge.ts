import { joinReports } from '../../checks/report.ts';
import { verify } from '../../checks/verify.ts';
import type { InTheWay } from '../../ports/forge.ts';
import type { StepContext, StepResult } from '../../ports/node.ts';
import type { DeliverFields } from './index.ts';
import { putOnOwnBranch } from './own-branch.ts';

/** How often a target that moves while its checks run is followed. */
const ROUNDS = 3;

/**
 * Merges the head into its target: what is merged is exactly the commit that was checked. When the target has moved, the run's
 * commits are put on top of it. All checks that the run has passed must have passed on the files that are merged: those that have not,
 * because the files are others now, run first.
 */
export async function deliverMerge(context: StepContext): Promise<StepResult> {
  const fields = context.step.fields as DeliverFields;
  const target = fields.to ?? context.run.target;
  if (target === null)
    return parked(
      'merge/no-target',
      `The run began at ${context.run.base.ref}, which is no branch. Merge it with \`switchyard merge ${context.run.slug} --to BRANCH\`.`,
    );

  const begun = await context.git.intended(target);
  if (begun !== undefined) {
    const finished = await finish(context, { target, ...begun });
    if (finished !== undefined) return finished;
  }
  let head = context.run.head;
  for (let round = 1; round <= ROUNDS; round++) {
    const tip = await context.git.fetchBranch(target);
    if (tip === undefined) return parked('merge/no-branch', `There is no branch ${target} in the repository.`);
    const base = await context.git.mergeBase(tip, head);
    if (base === head && tip !== head && head !== context.run.base.commit)
      return merged(context, target, head, `${target} has it already: somebody has merged it by hand`);
    if (base !== tip) {
      const rebased = await onTopOf(context, { base, tip, head, target });
      if ('outcome' in rebased) return rebased;
      head = rebased.head;
    }
    const rejected = await checkAgain(context, { head, tip, target });
    if (rejected !== undefined) return rejected;
    await context.git.intend({ target, from: tip, to: head });
    const moved = await context.forge.move({ branch: target, from: tip, to: head, kept: context.run.included });
    if (moved.kind === 'moved') return merged(context, target, head);
    if (moved.kind === 'checkout-dirty') return dirty(moved, target);
  }
  return {
    kind: 'outcome',
    outcome: 'rejected',
    detail: `${target} moved again and again while the checks ran; ${ROUNDS} rounds were made.`,
    park: { code: 'merge/target-busy', needs: 'conflict' },
  };
}

/** An earlier attempt died after it had decided to move the target: if it did move it, the rest is done now. */
async function finish(
  context: StepContext,
  merge: { target: string; from: string; to: string },
): Promise<StepResult | undefined> {
  const tip = await context.git.fetchBranch(merge.target);
  if (tip === undefined || !(await context.git.isAncestor(merge.to, tip))) return undefined;
  const { target: branch, from, to } = merge;
  const moved = await context.forge.move({ branch, from, to, kept: context.run.included });
  if (moved.kind === 'checkout-dirty') return dirty(moved, merge.target);
  return merged(context, merge.target, merge.to);
}

/** Puts the run's commits on top of the target's tip. */
async function onTopOf(
  context: StepContext,
  { base, tip, head, target }: { base: string | undefined; tip: string; head: string; target: string },
): Promise<{ readonly head: string } | Extract<StepResult, { kind: 'outcome' }>> {
  if (base === undefined) return parked('merge/unrelated', `${target} and the run have no common history.`);
  const rebased = await context.git.rebase({ base, head, onto: tip });
  if (rebased.kind === 'conflict') {
    // So that work which cannot be merged by itself is at hand.
    const own = await putOnOwnBranch(context);
    const branch = own.kind === 'published' ? own.branch : undefined;
    const byHand =
      branch === undefined
        ? ''
        : ` The work is on the branch ${branch}. To merge it by hand: \`git switch ${target}\`, \`git merge ${branch}\`, mend the files, commit; \`switchyard merge ${context.run.slug}\` then finds it merged.`;
    return {
      kind: 'outcome',
      outcome: 'conflict',
      ...(branch === undefined ? {} : { outputs: { branch, delivered: context.run.head } }),
      detail: `${target} has changed the same places: ${rebased.files.join(', ')}.${byHand}`,
      park: { code: 'merge/conflict', needs: 'conflict', files: rebased.files },
    };
  }
  await context.say('info', `${target} has moved: the run's commits were put on top of ${tip.slice(0, 12)}.`);
  return { head: rebased.head };
}

/** Runs the checks that passed on another state of the files than the one that is about to be merged. */
async function checkAgain(
  context: StepContext,
  { head, tip, target }: { head: string; tip: string; target: string },
): Promise<StepResult | undefined> {
  const [passed, passedHere] = await Promise.all([
    context.passedChecks(),
    context.git.treeOf(head).then((tree) => context.passedChecks(tree)),
  ]);
  const stale = passed.filter((name) => !passedHere.includes(name));
  const checks = context.checks.filter(({ name }) => stale.includes(name));
  if (checks.length === 0) return undefined;
  const names = checks.map(({ name }) => name).join(', ');
  await context.say('info', `${head.slice(0, 12)} is to be merged, and is checked again first: ${names}.`);
  const workspace = await context.workspace();
  if (workspace.head !== head) await workspace.reset(head);
  await using _ready = workspace.prepare?.();
  const results = await verify({ context, workspace, checks });
  const red = results.filter((result) => result.verdict !== 'pass').map(({ name }) => name);
  if (red.length === 0) return undefined;
  return {
    kind: 'outcome',
    outcome: 'rejected',
    outputs: { report: joinReports(results) },
    detail: `What is to be merged (${head.slice(0, 12)}, on top of ${target} at ${tip.slice(0, 12)}) is red: ${red.join(', ')}.`,
    park: { code: 'merge/red-checks', needs: 'conflict' },
  };
}

async function merged(
  context: StepContext,
  target: string,
  commit: string,
  detail = `${target} is at ${commit.slice(0, 12)}`,
): Promise<StepResult> {
  const { run, forge } = context;
  const tree = await context.git.treeOf(commit);
  await context.git.landed(commit);
  let delivered = run.delivered ?? undefined;
  if (run.delivered !== null && run.delivered !== commit) {
    const published = await forge.publish({ branch: `switchyard/${run.slug}`, commit, expected: run.delivered });
    if (published.kind === 'published') delivered = commit;
  }
  if ((context.step.fields as DeliverFields).push === true || run.push) {
    const pushed = await forge.push(target);
    if (pushed.kind === 'refused')
      await context.say('warning', `${target} was merged here but not pushed: ${pushed.message}`);
  }
  const outputs = { commit, branch: target, ...(delivered === undefined ? {} : { delivered }) };
  return {
    kind: 'outcome',
    outcome: 'merged',
    outputs,
    merged: { target, commit, tree },
    detail,
  };
}

function dirty(
  { checkout, files, advice }: InTheWay & { readonly checkout: string },
  target: string,
): Extract<StepResult, { kind: 'outcome' }> {
  const where = advice ?? `these files are in the way: ${files.join(', ')}. Commit or move them`;
  return {
    kind: 'outcome',
    outcome: 'conflict',
    detail: `${target} is checked out in ${checkout}, where ${where}, then retry.`,
    park: { code: 'merge/checkout-dirty', needs: 'checkout', files },
  };
}

function parked(code: string, detail: string): Extract<StepResult, { kind: 'outcome' }> {
  return { kind: 'outcome', outcome: 'error', detail, park: { code, needs: 'error' } };
}
