import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Content, tempFolder, writeFiles } from '../testing/temp-repository.ts';
import { readSwitchyardFolder } from './switchyard-folder.ts';

const AT = '.switchyard';

/** Reads with these files committed, and those in a checkout. */
async function read(committed: Record<string, string>, checkout?: Record<string, Content>) {
  await using outer = await tempFolder();
  const repository = join(outer.path, 'repository');
  await writeFiles(outer.path, { 'secret.yaml': 'secret: 1', 'repository/README.md': '' });
  if (checkout !== undefined) await writeFiles(repository, checkout);
  const folder = await readSwitchyardFolder({
    atCommit: (path) => Promise.resolve(committed[path]),
    listAtCommit: () => Promise.resolve(Object.keys(committed)),
    checkout: checkout === undefined ? undefined : repository,
  });
  return { files: Object.fromEntries(folder.files), notes: folder.notes };
}

test('reads configuration, blueprints and prompts of the base commit, and nothing else', async () => {
  const committed = {
    [`${AT}/config.yaml`]: 'a',
    [`${AT}/blueprints/pr.yaml`]: 'b',
    [`${AT}/blueprints/prompts/implement.md`]: 'c',
    [`${AT}/policy.yaml`]: 'd',
    [`${AT}/blueprints/deep/er.yaml`]: 'e',
    [`${AT}/blueprints/prompts/script.sh`]: 'f',
    'README.md': 'g',
  };
  expect(await read(committed)).toEqual({
    files: { 'config.yaml': 'a', 'blueprints/pr.yaml': 'b', 'blueprints/prompts/implement.md': 'c' },
    notes: [],
  });
});

test('a file that only the checkout has is in force, and that is said', async () => {
  const checkout = { [`${AT}/config.yaml`]: 'new', [`${AT}/blueprints/own.yaml`]: 'own' };
  expect(await read({}, checkout)).toEqual({
    files: { 'config.yaml': 'new', 'blueprints/own.yaml': 'own' },
    notes: ['2 files of .switchyard/ are not committed: in force for your local runs only'],
  });
  expect((await read({ [`${AT}/config.yaml`]: 'new' }, checkout)).notes).toEqual([
    '1 file of .switchyard/ is not committed: in force for your local runs only',
  ]);
});

test('a committed file counts more than its changes in the checkout, and that is said', async () => {
  expect(await read({ [`${AT}/config.yaml`]: 'old' }, { [`${AT}/config.yaml`]: 'changed' })).toEqual({
    files: { 'config.yaml': 'old' },
    notes: ['1 file of .switchyard/ differs from the base commit, which is in force: config.yaml'],
  });
});

test('line ends alone are no difference', async () => {
  expect((await read({ [`${AT}/config.yaml`]: 'a\nb\n' }, { [`${AT}/config.yaml`]: 'a\r\nb\r\n' })).notes).toEqual([]);
});

test('without a folder there is nothing to say', async () => {
  expect(await read({}, {})).toEqual({ files: {}, notes: [] });
});

test('a link that leads out of the repository is not read', async () => {
  const { files, notes } = await read({}, { [`${AT}/config.yaml`]: { link: '../../secret.yaml' } });
  expect(files).toEqual({});
  expect(notes).toEqual([
    '.switchyard/config.yaml was not read: it is a link that leads out of the repository, or nowhere',
  ]);
});

test('a folder that is a link out of the repository is not entered', async () => {
  expect(await read({}, { [AT]: { link: '..' } })).toEqual({ files: {}, notes: [] });
  expect(await read({}, { [`${AT}/blueprints`]: { link: '/etc' } })).toEqual({ files: {}, notes: [] });
});

test('a link within the repository is followed', async () => {
  expect(
    (await read({}, { 'shared.yaml': 'shared', [`${AT}/config.yaml`]: { link: '../shared.yaml' } })).files,
  ).toEqual({ 'config.yaml': 'shared' });
});

test('a file that is too large, no text, or only misspelt is not read, and that is said', async () => {
  const { files, notes } = await read(
    { [`${AT}/blueprints/big.yaml`]: 'x'.repeat(1024 * 1024 + 1) },
    { [`${AT}/config.yml`]: 'a', [`${AT}/blueprints/huge.yaml`]: 'x'.repeat(1024 * 1024 + 1) },
  );
  expect(files).toEqual({});
  expect(notes).toEqual([
    '.switchyard/blueprints/big.yaml was not read: it is larger than 1024 KiB',
    '.switchyard/config.yml is not read: its name has to end in .yaml',
    '.switchyard/blueprints/huge.yaml was not read: it is larger than 1024 KiB',
  ]);
});

test('a named pipe does not block', async () => {
  await using folder = await tempFolder();
  await writeFiles(folder.path, { [`${AT}/x`]: '' });
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(folder.path, AT, 'config.yaml')]);
  const none = { atCommit: () => Promise.resolve(undefined), listAtCommit: () => Promise.resolve([]) };
  const { files, notes } = await readSwitchyardFolder({ ...none, checkout: folder.path });
  expect(files.size).toBe(0);
  expect(notes).toEqual(['.switchyard/config.yaml was not read: it is not a regular file']);
});
