import type { Claims, ClaimsParts } from './claims.ts';
import { bytesOf, usedOn } from './disk.ts';

/** How often each thing is measured. */
export interface Rounds {
  readonly claims: number;
  readonly behind: number;
  /** Whether workspaces stay, where removing one takes as long as making it and the next one's files would find their places taken. */
  readonly leave: boolean;
}

/** In milliseconds, and bytes. */
export interface ClaimFigures {
  /** Until the workspace is open, as a part of what a claim takes. */
  readonly opened: number[];
  readonly claims: number[];
  readonly behind: number[];
  readonly disk: number[];
}

/** What is done between two claims, so that what is compared is measured side by side. */
export type Beside = (round: number) => Promise<void>;

/** Claims of fresh workspaces at the commit that a base has, then at one that is a hundred files further. */
export async function measureClaims(
  claims: Claims,
  { folder, provider }: Pick<ClaimsParts, 'folder' | 'provider'>,
  rounds: Rounds,
  beside?: Beside,
): Promise<ClaimFigures> {
  await claims.warm();
  const { last, before } = claims.commits;
  const remove = (run: string) => (rounds.leave ? Promise.resolve() : claims.remove(run));
  const figures: ClaimFigures = { opened: [], claims: [], behind: [], disk: [] };
  for (let n = 0; n < rounds.claims; n += 1) {
    const used = provider === 'reflink' && n === 0 ? await usedOn(folder) : 0;
    const { opened, took } = await claims.claim(`at-${n}`, before);
    figures.opened.push(opened);
    figures.claims.push(took);
    // Of files that share their contents only the disk knows, which nobody else uses.
    if (n === 0)
      figures.disk.push(
        provider === 'reflink' ? (await usedOn(folder)) - used : await bytesOf(claims.rootOf(`at-${n}`)),
      );
    await remove(`at-${n}`);
    await beside?.(n);
  }
  for (let n = 0; n < rounds.behind; n += 1) {
    figures.behind.push((await claims.claim(`behind-${n}`, last)).took);
    await remove(`behind-${n}`);
  }
  return figures;
}
