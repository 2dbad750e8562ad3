import { expect, test } from 'vitest';
import { tempRepository } from '../../testing/temp-repository.ts';
import { isAncestor, readCommits } from './commits.ts';
import { git, gitLine } from './git.ts';
import { parentsOf, readLooseCommit } from './loose-commits.ts';

/** Two revisions are more than what is looked up in files. */
const byGit = async (gitDir: string, id: string) => (await readCommits(gitDir, ['--no-walk', '--max-count=1', id]))[0];

const commitOf = (gitDir: string, text: string) =>
  gitLine(['hash-object', '-t', 'commit', '-w', '--stdin', '--literally'], { gitDir, input: text });

test.each([
  ['a plain one', 'author A U Thor <a@b> 1 +0000', '', 'Subject\n'],
  [
    'a body, blank lines and no line at the end',
    'author A <a@b> 1 +0200',
    '',
    'Subject\n\n\nBody\n\n  indented\n\nEnd',
  ],
  ['an empty message', 'author A <a@b> 1 +0000', '', ''],
  ['a name beyond ASCII', 'author Ünï Çödé "q" <ü@é> 1700000000 -0130', '', 'Ünï\n'],
  ['a signature', 'author A <a@b> 1 +0000', 'gpgsig -----BEGIN\n tree of it\n parent of it\n -----END\n', 'Signed\n'],
])('is what git tells of it: %s', async (_, author, more, message) => {
  await using repository = await tempRepository();
  const gitDir = `${repository.path}/.git`;
  const [tree, parent] = [await repository.git('rev-parse', 'HEAD^{tree}'), await repository.git('rev-parse', 'HEAD')];
  const committer = author.replace('author', 'committer');
  const id = await commitOf(gitDir, `tree ${tree}\nparent ${parent}\n${author}\n${committer}\n${more}\n${message}`);
  const found = await readLooseCommit(gitDir, id);
  expect(found).toBeDefined();
  expect(found).toEqual(await byGit(gitDir, id));
  expect(await parentsOf(gitDir, id)).toEqual([parent]);
});

test.each([
  ['another encoding', 'author A <a@b> 1 +0000', 'encoding ISO-8859-1\n', 'Subject\n'],
  ['no name', 'author  <a@b> 1 +0000', '', 'Subject\n'],
  ['no date', 'author A <a@b>', '', 'Subject\n'],
  ['blank lines first', 'author A <a@b> 1 +0000', '', '\n\nSubject\n'],
])('is left to git where only that can say: %s', async (_, author, more, message) => {
  await using repository = await tempRepository();
  const gitDir = `${repository.path}/.git`;
  const tree = await repository.git('rev-parse', 'HEAD^{tree}');
  const committer = 'committer A <a@b> 1 +0000';
  const id = await commitOf(gitDir, `tree ${tree}\n${author}\n${committer}\n${more}\n${message}`);
  expect(await readLooseCommit(gitDir, id)).toBeUndefined();
  expect((await readCommits(gitDir, ['--no-walk', id]))[0]?.id).toBe(id);
});

test('is left to git once it is in a pack, and when it is no commit', async () => {
  await using repository = await tempRepository();
  const gitDir = `${repository.path}/.git`;
  const id = await repository.git('rev-parse', 'HEAD');
  expect(await readLooseCommit(gitDir, await repository.git('rev-parse', 'HEAD^{tree}'))).toBeUndefined();
  await git(['repack', '-a', '-d', '-q'], { gitDir });
  expect(await readLooseCommit(gitDir, id)).toBeUndefined();
  expect(await parentsOf(gitDir, id)).toEqual([]);
});

test('an ancestor is found near and far, in files and in packs, and through merges; what is none is not', async () => {
  await using repository = await tempRepository();
  const gitDir = `${repository.path}/.git`;
  const first = await repository.git('rev-parse', 'HEAD');
  await repository.git('switch', '--quiet', '-c', 'side');
  const side = await repository.commit({ 'side.txt': 's\n' });
  await repository.git('switch', '--quiet', 'main');
  for (let n = 0; n < 9; n++) await repository.commit({ 'a.txt': `${n}\n` });
  const main = await repository.git('rev-parse', 'HEAD');
  expect(await isAncestor(gitDir, first, main)).toBe(true);
  expect(await isAncestor(gitDir, side, main)).toBe(false);
  expect(await isAncestor(gitDir, main, first)).toBe(false);
  await repository.git('merge', '--quiet', '--no-edit', 'side');
  const merged = await repository.git('rev-parse', 'HEAD');
  expect(await isAncestor(gitDir, side, merged)).toBe(true);
  await git(['repack', '-a', '-d', '-q'], { gitDir });
  expect(await isAncestor(gitDir, first, merged)).toBe(true);
});
