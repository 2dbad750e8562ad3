import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Installation } from '../support/installation.ts';

/** The id of the copy of a row, as `fillStore` gives it. */
export function copiedId(id: string, nth: number): string {
  return createHash('md5').update(`${id}-${nth}`).digest('hex').slice(0, 20);
}

/**
 * Gives each copy of the run, numbered `from` up to `to`, the refs that the run has in the one git store of the installation; packed, as
 * the daemon leaves them once a day. The file is written here: made one by one, the refs would leave so many removed files behind that
 * ext4 is slow to make new ones for a minute.
 */
export async function fillGitStore(
  installation: Installation,
  run: string,
  { from, to }: { from: number; to: number },
): Promise<void> {
  const [store = ''] = globSync(join(installation.home.repositories, '*.git'));
  const git = (args: readonly string[]) => execa('git', ['--git-dir', store, ...args]);
  const prefix = `refs/switchyard/runs/${run}/`;
  const { stdout } = await git(['for-each-ref', '--format=%(refname) %(objectname)', prefix]);
  const refs = stdout.split('\n').map((line) => line.slice(prefix.length).split(' '));
  await git(['pack-refs', '--all']);
  const file = join(store, 'packed-refs');
  const [head = '', ...lines] = (await readFile(file, 'utf8')).trimEnd().split('\n');
  for (let nth = from; nth <= to; nth++) {
    for (const [name, commit] of refs) lines.push(`${commit} refs/switchyard/runs/${copiedId(run, nth)}/${name}`);
  }
  const nameOf = (line: string) => line.slice(line.indexOf(' '));
  lines.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  await writeFile(`${file}.new`, [head, ...lines, ''].join('\n'));
  await rename(`${file}.new`, file);
}
