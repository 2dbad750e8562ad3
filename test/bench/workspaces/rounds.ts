import { statfs } from 'node:fs/promises';
import { runOwn } from '../../../src/lib/exec/own-program.ts';
import { Claims, type ClaimsParts } from './claims.ts';

/** How often each thing is measured. */
export interface Rounds {
  readonly claims: number;
  readonly behind: number;
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
export type Beside = (claims: Claims, round: number) => Promise<void>;

/** Claims of fresh workspaces at the commit that a base has, then at one that is a hundred files further. */
export async function measureClaims(parts: ClaimsParts, rounds: Rounds, beside?: Beside): Promise<ClaimFigures> {
  await using claims = await Claims.begin(parts);
  await claims.warm();
  const figures: ClaimFigures = { opened: [], claims: [], behind: [], disk: [] };
  for (let n = 0; n < rounds.claims; n += 1) {
    const before = await used(parts.folder);
    const { opened, took } = await claims.claim(`at-${n}`, claims.commits.before);
    figures.opened.push(opened);
    figures.claims.push(took);
    if (n === 0) figures.disk.push(await sizeOf(claims.rootOf(`at-${n}`), parts, before));
    await claims.remove(`at-${n}`);
    await beside?.(claims, n);
  }
  for (let n = 0; n < rounds.behind; n += 1) {
    figures.behind.push((await claims.claim(`behind-${n}`, claims.commits.last)).took);
    await claims.remove(`behind-${n}`);
  }
  return figures;
}

/** What a workspace takes up. Files that share their contents look as large as others do: there the disk is asked, which nobody else uses. */
async function sizeOf(root: string, { folder, provider }: ClaimsParts, before: number): Promise<number> {
  if (provider === 'reflink') return (await used(folder)) - before;
  const { stdout } = await runOwn('du', ['-sx', '--block-size=1', '--', root]);
  return Number(stdout.toString().split('\t', 1)[0]);
}

async function used(folder: string): Promise<number> {
  await runOwn('sync', ['-f', folder]);
  const { blocks, bfree, bsize } = await statfs(folder);
  return (blocks - bfree) * bsize;
}
