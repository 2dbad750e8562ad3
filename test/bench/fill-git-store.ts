import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Installation } from '../support/installation.ts';

const BATCH = 2_000;

/** The id of the copy of a row, as `fillStore` gives it. */
export function copiedId(id: string, nth: number): string {
  return createHash('md5').update(`${id}-${nth}`).digest('hex').slice(0, 20);
}

/**
 * Gives each copy of the run, numbered `from` up to `to`, the refs that the run has in the one git store of the installation; packed, as
 * the daemon leaves them once a day.
 */
export async function fillGitStore(
  installation: Installation,
  run: string,
  { from, to }: { from: number; to: number },
): Promise<void> {
  const [store = ''] = globSync(join(installation.home.repositories, '*.git'));
  const git = (args: readonly string[], input = '') =>
    execa('git', ['-c', 'core.fsync=none', '--git-dir', store, ...args], { input });
  const prefix = `refs/switchyard/runs/${run}/`;
  const { stdout } = await git(['for-each-ref', '--format=%(refname) %(objectname)', prefix]);
  const refs = stdout.split('\n').map((line) => line.slice(prefix.length).split(' '));
  for (let first = from; first <= to; first += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, to - first + 1) }, (_, n) => first + n);
    const lines = numbers.flatMap((nth) =>
      refs.map(([name, commit]) => `create refs/switchyard/runs/${copiedId(run, nth)}/${name} ${commit}\n`),
    );
    await git(['update-ref', '--stdin'], lines.join(''));
    await git(['pack-refs', '--all']);
  }
}
