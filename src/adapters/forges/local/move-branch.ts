import { between, type CrashPoint } from '../../../lib/crash-point.ts';
import { SwitchyardError } from '../../../lib/error.ts';
import { isAncestor } from '../../../lib/git/commits.ts';
import { changeRef, readRef } from '../../../lib/git/refs.ts';
import type { MoveResult } from '../../../ports/forge.ts';
import { bringObjects } from './bring-objects.ts';
import { checkoutsOf, filesInTheWay, moveCheckout } from './checkouts.ts';

export interface MoveContext {
  /** The common git directory of the person's repository. */
  readonly gitDir: string;
  readonly mirror: string;
  readonly crashPoint: CrashPoint;
}

export interface MoveRequest {
  readonly branch: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Moves a branch and every checkout of it from one commit to a descendant. First it is made sure that nothing is in the way
 * anywhere, then the ref moves by compare-and-set, then the checkouts; where one of them has become dirty in that moment, all goes
 * back. After a death between ref and checkouts a second call finds the ref moved and brings the checkouts along.
 */
export async function moveBranch(context: MoveContext, request: MoveRequest): Promise<MoveResult> {
  const { gitDir, mirror, crashPoint } = context;
  const { branch, from, to } = request;
  await bringObjects({ gitDir, mirror, commit: to });
  if (!(await isAncestor(gitDir, from, to))) {
    throw new SwitchyardError({ code: 'merge/not-a-descendant', message: `${to} does not stand on ${from}.`, hint: 'This is a fault of Switchyard: please report it.' });
  }
  const ref = `refs/heads/${branch}`;
  const actual = await readRef(gitDir, ref, 'user');
  if (actual !== from && actual !== to) {
    return actual !== undefined && (await isAncestor(gitDir, to, actual)) ? { kind: 'moved' } : { kind: 'target-moved', actual };
  }
  const checkouts = await checkoutsOf(gitDir, branch);
  for (const checkout of checkouts) {
    const files = await filesInTheWay(checkout, { from, to });
    if (files.length > 0) return { kind: 'checkout-dirty', checkout, files };
  }
  if (actual === from) {
    const message = `switchyard: merge ${to.slice(0, 12)}`;
    const moved = await between(crashPoint, 'target-ref', () => changeRef(gitDir, { ref, to, from }, { flavour: 'user', message }));
    if (!moved) return { kind: 'target-moved', actual: await readRef(gitDir, ref, 'user') };
  }
  return between(crashPoint, 'checkout', () => moveCheckouts(context, request, checkouts));
}

async function moveCheckouts({ gitDir }: MoveContext, { branch, from, to }: MoveRequest, checkouts: readonly string[]): Promise<MoveResult> {
  const done: string[] = [];
  for (const checkout of checkouts) {
    if (await moveCheckout(checkout, { from, to })) {
      done.push(checkout);
      continue;
    }
    const files = await filesInTheWay(checkout, { from, to });
    await changeRef(gitDir, { ref: `refs/heads/${branch}`, to: from, from: to }, { flavour: 'user' });
    for (const other of done) await moveCheckout(other, { from: to, to: from });
    return { kind: 'checkout-dirty', checkout, files };
  }
  return { kind: 'moved' };
}
