import { expect, test } from 'vitest';
import { plainGit } from '../../../testing/temp-repository.ts';
import { bringObjects } from './bring-objects.ts';
import { stage } from './fixture.ts';

test('what is above a commit comes over whole, and again is the same', async () => {
  await using at = await stage();
  const gitDir = `${at.repository.path}/.git`;
  for (const _ of [1, 2]) {
    await bringObjects({ gitDir, mirror: at.mirror, commit: at.to, above: at.from });
    await at.repository.git('branch', '--force', 'brought', at.to);
    await at.repository.git('fsck', '--full', '--strict');
  }
  expect(await at.repository.git('show', 'brought:new/d.txt')).toBe('d');
});

test('where nothing is above that commit for the store, git finds out what is missing', async () => {
  await using at = await stage();
  const theirs = await at.repository.commit({ 'theirs.txt': 'theirs\n' });
  await expect(plainGit(at.mirror, 'cat-file', '-t', theirs)).rejects.toThrow();
  await bringObjects({ gitDir: `${at.repository.path}/.git`, mirror: at.mirror, commit: at.to, above: theirs });
  await at.repository.git('branch', 'brought', at.to);
  await at.repository.git('fsck', '--full', '--strict');
});
