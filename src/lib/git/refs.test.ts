import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempRepository } from '../../testing/temp-repository.ts';
import { changeRef, listRefs, packRefs, readRef } from './refs.ts';

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
