import { between, type CrashPoint } from '../../../lib/crash-point.ts';
import { changeRef, readRef } from '../../../lib/git/refs.ts';
import type { InTheWay } from '../../../ports/forge.ts';
import { type Checkout, checkoutsOf } from './checkouts.ts';
import { go, lookAhead, type Step } from './in-the-way.ts';

export interface Repository {
  /** The common git directory of the person's repository. */
  readonly gitDir: string;
  readonly mirror: string;
  readonly crashPoint: CrashPoint;
}

export interface BranchMove extends Step {
  readonly branch: string;
  /** For the reflog. */
  readonly message: string;
  /** A commit in which a person's files may be kept as they are: those are not in the way. */
  readonly kept?: string | undefined;
  /** Has the repository hold the objects of `to`; `at` is where the branch is. */
  readonly bring: (at: string | undefined) => Promise<void>;
}

export type Moved =
  | { readonly kind: 'moved' }
  | { readonly kind: 'elsewhere'; readonly actual: string | undefined }
  | ({ readonly kind: 'blocked'; readonly checkout: string } & InTheWay);

/**
 * Moves a branch and every checkout of it from one commit to another. First it is made sure that nothing is in the way anywhere, then the
 * ref moves by compare-and-set, then the checkouts; where one of them has become dirty in that moment, all goes back. After a
 * death in the middle a second call finds the ref moved, and brings those checkouts along that were left behind.
 */
export async function moveBranch(repository: Repository, move: BranchMove): Promise<Moved> {
  const { gitDir, mirror, crashPoint } = repository;
  const { branch, from, to, message, kept, bring } = move;
  const ref = `refs/heads/${branch}`;
  const actual = await readRef(gitDir, ref, 'user');
  // It may take long: what people do meanwhile is looked for afterwards.
  await bring(actual);
  if (actual !== from && actual !== to) return { kind: 'elsewhere', actual };
  const moved = actual === to;
  const ahead: Going[] = [];
  for (const checkout of await checkoutsOf(gitDir, branch)) {
    const way = await lookAhead(checkout, { from, to, mirror, moved, kept });
    if (way.kind === 'blocked') {
      if (moved)
        await changeRef(gitDir, { ref, to: from, from: to }, { flavour: 'user', message: `${message}: taken back` });
      return { ...way, checkout: checkout.folder };
    }
    if (way.kind === 'free') ahead.push({ checkout, same: way.same, from: way.from });
  }
  if (!moved) {
    const set = () => changeRef(gitDir, { ref, to, from }, { flavour: 'user', message });
    const isSet = await between(crashPoint, 'target-ref', set);
    if (!isSet) return { kind: 'elsewhere', actual: await readRef(gitDir, ref, 'user') };
  }
  return between(crashPoint, 'checkout', () => takeAlong(repository, move, ahead));
}

interface Going {
  readonly checkout: Checkout;
  readonly same: readonly string[];
  /** What it comes back to. */
  readonly from: string;
}

async function takeAlong({ gitDir, mirror }: Repository, move: BranchMove, ahead: readonly Going[]): Promise<Moved> {
  const { branch, from, to, message, kept } = move;
  const gone: Going[] = [];
  for (const going of ahead) {
    const { checkout, same } = going;
    if (await go(checkout, { from: going.from, to }, same)) {
      gone.push(going);
      continue;
    }
    const ref = `refs/heads/${branch}`;
    await changeRef(gitDir, { ref, to: from, from: to }, { flavour: 'user', message: `${message}: taken back` });
    for (const other of gone) await go(other.checkout, { from: to, to: other.from }, []);
    const way = await lookAhead(checkout, { from, to, mirror, moved: false, kept });
    return { ...(way.kind === 'blocked' ? way : { kind: 'blocked', files: ['index'] }), checkout: checkout.folder };
  }
  return { kind: 'moved' };
}
