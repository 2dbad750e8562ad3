import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempRepository } from '../../testing/temp-repository.ts';
import { changeRef, listRefs, packRefs, readRef, resolveCommit } from './refs.ts';

test('packed refs lie in one file, and are read, changed and deleted as before', async () => {
  await using repository = await tempRepository({ 'a.txt': 'a\n' });
  const gitDir = join(repository.path, '.git');
  const first = await repository.git('rev-parse', 'HEAD');
  const second = await repository.commit({ 'a.txt': 'b\n' }, 'Second');
  for (const name of ['one', 'two']) await changeRef(gitDir, { ref: `refs/some/${name}`, to: first });
  await packRefs(gitDir, AbortSignal.timeout(30_000));
  await expect(stat(join(gitDir, 'refs/some/one'))).rejects.toThrow('ENOENT');
  expect(await readRef(gitDir, 'refs/some/one')).toBe(first);
  expect(await changeRef(gitDir, { ref: 'refs/some/one', to: second, from: second })).toBe(false);
  expect(await changeRef(gitDir, { ref: 'refs/some/one', to: second, from: first })).toBe(true);
  expect(await changeRef(gitDir, { ref: 'refs/some/two', to: null, from: first })).toBe(true);
  expect(await listRefs(gitDir, 'refs/some/')).toEqual([{ ref: 'refs/some/one', commit: second }]);
});

test('a ref is what git says of it: in a file of its own, in the one of all, in both, and as the name of another', async () => {
  await using repository = await tempRepository({ 'a.txt': 'a\n' });
  const gitDir = join(repository.path, '.git');
  const first = await repository.git('rev-parse', 'HEAD');
  await repository.git('branch', 'own');
  await packRefs(gitDir, AbortSignal.timeout(30_000));
  const second = await repository.commit({ 'a.txt': 'b\n' }, 'Second');
  await repository.git('symbolic-ref', 'refs/heads/other', 'refs/heads/main');
  for (const [ref, commit] of [
    ['refs/heads/main', second],
    ['refs/heads/own', first],
    ['refs/heads/other', second],
    ['refs/heads/none', undefined],
  ] as const) {
    expect([ref, await readRef(gitDir, ref), await resolveCommit(gitDir, ref)]).toEqual([ref, commit, commit]);
  }
});

test('no name leads out of the refs, and no expression is taken for a name', async () => {
  await using repository = await tempRepository({ 'a.txt': 'a\n' });
  const gitDir = join(repository.path, '.git');
  const first = await repository.git('rev-parse', 'HEAD');
  await repository.commit({ 'a.txt': 'b\n' }, 'Second');
  await writeFile(join(gitDir, 'planted'), `${first}\n`);
  for (const ref of ['refs/../planted', 'refs/heads/../../planted', 'refs//heads/main', 'refs/heads/.', 'planted'])
    expect([ref, await readRef(gitDir, ref)]).toEqual([ref, undefined]);
  expect(await resolveCommit(gitDir, 'refs/heads/../../planted')).toBeUndefined();
  expect(await resolveCommit(gitDir, 'refs/heads/main~1')).toBe(first);
});
