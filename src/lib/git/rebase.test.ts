import { expect, test } from 'vitest';
import { type TempRepository, tempRepository } from '../../testing/temp-repository.ts';
import { readCommits } from './commits.ts';
import { rebaseChain } from './rebase.ts';

/** `main` with one commit, then what each side does from there; ends on `main`. */
async function diverged(
  repository: TempRepository,
  sides: { theirs: Record<string, string>[]; ours: Record<string, string>[] },
): Promise<{ gitDir: string; base: string; head: string; onto: string }> {
  const base = await repository.git('rev-parse', 'HEAD');
  await repository.git('switch', '--quiet', '-c', 'work');
  for (const [n, files] of sides.ours.entries()) await repository.commit(files, `Ours ${n}\n\nWith a body.`);
  const head = await repository.git('rev-parse', 'HEAD');
  await repository.git('switch', '--quiet', 'main');
  for (const files of sides.theirs) await repository.commit(files, 'Theirs');
  const onto = await repository.git('rev-parse', 'HEAD');
  return { gitDir: `${repository.path}/.git`, base, head, onto };
}

const lines = (...changed: Record<number, string>[]): string =>
  Array.from({ length: 30 }, (_, n) => Object.assign({}, ...changed)[n] ?? `line ${n}`).join('\n');

test('commits move onto another one with author, dates and message', async () => {
  await using repository = await tempRepository({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
  const request = await diverged(repository, {
    ours: [{ 'a.txt': 'A\n' }, { 'a.txt': 'AA\n' }],
    theirs: [{ 'b.txt': 'B\n' }],
  });
  const rebased = await rebaseChain(request);
  if (rebased.kind !== 'rebased') throw new Error('a conflict');
  const before = await readCommits(request.gitDir, [request.head, `^${request.base}`]);
  const after = await readCommits(request.gitDir, [rebased.head, `^${request.onto}`]);
  const kept = ({ author, committer, message }: (typeof before)[number]) => ({ author, committer, message });
  expect(after.map(kept)).toEqual(before.map(kept));
  expect(after[0]?.parents).toEqual([request.onto]);
  expect(await repository.git('show', `${rebased.head}:a.txt`)).toBe('AA');
  expect(await repository.git('show', `${rebased.head}:b.txt`)).toBe('B');
});

test('the same request gives the same commits, and no ref moves', async () => {
  await using repository = await tempRepository({ 'a.txt': lines() });
  const request = await diverged(repository, {
    ours: [{ 'a.txt': lines({ 1: 'x' }) }],
    theirs: [{ 'a.txt': lines({ 20: 'y' }) }],
  });
  const refs = await repository.git('for-each-ref');
  expect(await rebaseChain(request)).toEqual(await rebaseChain(request));
  expect(await repository.git('for-each-ref')).toBe(refs);
});

test('a conflict names the commit and the files, whatever they are called', async () => {
  await using repository = await tempRepository({ 'new\nline "x"': 'a\n', 'b.txt': 'b\n' });
  const request = await diverged(repository, {
    ours: [{ 'b.txt': 'fine\n' }, { 'new\nline "x"': 'ours\n' }],
    theirs: [{ 'new\nline "x"': 'theirs\n' }],
  });
  expect(await rebaseChain(request)).toEqual({ kind: 'conflict', commit: request.head, files: ['new\nline "x"'] });
});

test('a commit that the other side has already is dropped', async () => {
  await using repository = await tempRepository({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
  const request = await diverged(repository, {
    ours: [{ 'a.txt': 'same\n' }, { 'b.txt': 'ours\n' }],
    theirs: [{ 'a.txt': 'same\n' }],
  });
  const rebased = await rebaseChain(request);
  if (rebased.kind !== 'rebased') throw new Error('a conflict');
  expect(await readCommits(request.gitDir, [rebased.head, `^${request.onto}`])).toHaveLength(1);
});

test('a commit that the other side has, and has gone on from, is left out where it would conflict, and what follows it is not', async () => {
  await using repository = await tempRepository({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
  const request = await diverged(repository, {
    ours: [{ 'a.txt': 'draft\n' }, { 'b.txt': 'ours\n' }],
    theirs: [{ 'a.txt': 'draft\n' }, { 'a.txt': 'draft, gone on\n' }],
  });
  const rebased = await rebaseChain(request);
  if (rebased.kind !== 'rebased') throw new Error('a conflict');
  const after = await readCommits(request.gitDir, [rebased.head, `^${request.onto}`]);
  expect(after.map(({ message }) => message.split('\n')[0])).toEqual(['Ours 1']);
  expect(await repository.git('show', `${rebased.head}:a.txt`)).toBe('draft, gone on');
  expect(await repository.git('show', `${rebased.head}:b.txt`)).toBe('ours');
});

test('where a commit after one that is left out conflicts itself, that is the conflict', async () => {
  await using repository = await tempRepository({ 'a.txt': 'a\n' });
  const request = await diverged(repository, {
    ours: [{ 'a.txt': 'draft\n' }, { 'a.txt': 'draft, ours\n' }],
    theirs: [{ 'a.txt': 'draft\n' }, { 'a.txt': 'draft, theirs\n' }],
  });
  expect(await rebaseChain(request)).toEqual({ kind: 'conflict', commit: request.head, files: ['a.txt'] });
});

test('with nothing to move the result is the new base itself', async () => {
  await using repository = await tempRepository();
  const request = await diverged(repository, { ours: [], theirs: [{ 'b.txt': 'B\n' }] });
  expect(await rebaseChain(request)).toEqual({ kind: 'rebased', head: request.onto });
});

test('a merge in the chain brings what it brought to its first parent', async () => {
  await using repository = await tempRepository({ 'a.txt': 'a\n' });
  const base = await repository.git('rev-parse', 'HEAD');
  await repository.git('switch', '--quiet', '-c', 'side');
  await repository.commit({ 'side.txt': 's\n' });
  await repository.git('switch', '--quiet', '-c', 'work', 'main');
  await repository.commit({ 'work.txt': 'w\n' });
  await repository.git('merge', '--quiet', '--no-edit', 'side');
  const head = await repository.git('rev-parse', 'HEAD');
  await repository.git('switch', '--quiet', 'main');
  const onto = await repository.commit({ 'a.txt': 'A\n' });
  const rebased = await rebaseChain({ gitDir: `${repository.path}/.git`, base, head, onto });
  if (rebased.kind !== 'rebased') throw new Error('a conflict');
  expect(await repository.git('ls-tree', '--name-only', rebased.head)).toBe('a.txt\nside.txt\nwork.txt');
});
