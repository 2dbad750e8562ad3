import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { plainGit, writeFiles } from '../testing/temp-repository.ts';
import { KEY_FILE } from './checkpoint-key.ts';
import { agentIn, exists, type Fixture, fixture, listPart, TEXT } from './fixture.ts';

const PRIVATE = { carry: ['*.local'], sessionFiles: [{ agent: 'codex', globs: ['sessions/**'] }] };
const FILES = { 'a.txt': 'a\n', '.gitignore': '*.local\n' };

/** All that can be read out of the store's objects, which programs of every run see. */
async function readable({ store }: Fixture): Promise<string> {
  const ids = (await plainGit(store.path, 'cat-file', '--batch-all-objects', '--batch-check')).split('\n');
  const texts = ids.filter((line) => / (blob|commit) /.test(line)).map((line) => line.split(' ', 1)[0] ?? '');
  return (await Promise.all(texts.map((id) => plainGit(store.path, 'cat-file', '-p', id)))).join('\n');
}

async function entries({ store }: Fixture, commit: string): Promise<Record<string, string>> {
  const lines = (await plainGit(store.path, 'ls-tree', commit)).split('\n').map((line) => line.split(/[ \t]/));
  return Object.fromEntries(lines.map(([, , id = '', name = '']) => [name.split('.')[0] ?? '', `${name} ${id}`]));
}

test.each([1, 60])('of carried and session files, %i of each, nothing can be read in the store', async (count) => {
  await using at = await fixture(FILES);
  const { workspace } = await at.open(PRIVATE);
  const names = Array.from({ length: count }, (_, n) => n);
  await agentIn(workspace.folder).write({
    'b.txt': 'for all to see',
    ...Object.fromEntries(names.map((n) => [`${n}.local`, `hush ${n}`])),
  });
  await writeFiles(workspace.homes, Object.fromEntries(names.map((n) => [`codex/sessions/${n}`, `whisper ${n}`])));
  await workspace.checkpoint();
  await workspace.collect(TEXT);
  await workspace.checkpoint();
  const all = await readable(at);
  expect(all).toContain('for all to see');
  expect(all).not.toMatch(/hush|whisper/);
});

test('the same files are the same part in every checkpoint, whichever workspace made it', async () => {
  await using at = await fixture(FILES);
  const { workspace } = await at.open(PRIVATE);
  await agentIn(workspace.folder).write({ 'x.local': 'x' });
  await writeFiles(workspace.homes, { 'codex/sessions/s': 'one' });
  const first = await entries(at, await workspace.checkpoint());
  await writeFiles(workspace.homes, { 'codex/sessions/s': 'two' });
  await agentIn(workspace.folder).write({ 'b.txt': 'b' });
  const last = await workspace.checkpoint();
  const second = await entries(at, last);
  expect(second['carry']).toBe(first['carry']);
  expect(second['homes']).not.toBe(first['homes']);
  expect(second['tree']).not.toBe(first['tree']);
  const { workspace: next } = await at.open({ ...PRIVATE, reuse: true });
  expect(await next.checkpoint()).toBe(last);
  const { workspace: other } = await at.elsewhere({ ...PRIVATE, checkpoint: last });
  expect(await entries(at, await other.checkpoint())).toMatchObject({ carry: second['carry'], homes: second['homes'] });
});

test('what a workspace keeps of private files does not grow with each checkpoint', async () => {
  await using at = await fixture(FILES);
  const { workspace } = await at.open(PRIVATE);
  for (const text of ['one', 'two', 'three']) {
    await writeFiles(workspace.homes, { 'codex/sessions/s': text, 'codex/sessions/still': 'the same' });
    await workspace.checkpoint();
  }
  const objects = join(workspace.homes, '../git/private/homes/objects');
  expect(await readdir(objects)).toEqual(['pack']);
  expect((await readdir(join(objects, 'pack'))).filter((name) => name.endsWith('.pack'))).toHaveLength(1);
});

test('where objects of private files were lost with the machine, they are taken again', async () => {
  await using at = await fixture(FILES);
  const { workspace } = await at.open(PRIVATE);
  await writeFiles(workspace.homes, { 'codex/sessions/s': 'one', 'codex/sessions/t': 'two' });
  await workspace.checkpoint();
  await rm(join(workspace.homes, '../git/private/homes/objects'), { recursive: true });
  await writeFiles(workspace.homes, { 'codex/sessions/t': 'three' });
  const commit = await workspace.checkpoint();
  expect(await listPart(workspace, { store: at.store.path, commit, name: 'homes' })).toHaveLength(2);
});

test('under another key the parts are lost, which is said; the checkout comes back', async () => {
  await using at = await fixture(FILES);
  const { workspace } = await at.open(PRIVATE);
  await agentIn(workspace.folder).write({ 'b.txt': 'b', 'x.local': 'x' });
  await writeFiles(workspace.homes, { 'codex/sessions/s': 'one' });
  const checkpoint = await workspace.checkpoint();
  const key = join(at.store.path, KEY_FILE);
  const right = await readFile(key);
  await rm(key);
  const { workspace: next, notes } = await at.elsewhere({ ...PRIVATE, checkpoint });
  const lost = notes.filter((note) =>
    note.endsWith('(it was changed, or encrypted under another key): they are lost.'),
  );
  expect(lost.map((note) => note.split(' in checkpoint')[0])).toEqual(['The carried files', "The agents' sessions"]);
  expect(await agentIn(next.folder).read('b.txt')).toBe('b');
  expect(await exists(join(next.folder, 'x.local'))).toBe(false);
  expect(await exists(join(next.homes, 'codex/sessions'))).toBe(false);
  expect(await exists(join(dirname(next.homes), 'git/incoming.pack'))).toBe(false);
  await next.checkpoint();
  await writeFile(key, right);
  const { workspace: again, notes: none } = await at.elsewhere({ ...PRIVATE, checkpoint });
  expect(none.join(' ')).not.toContain('lost');
  expect(await readFile(join(again.homes, 'codex/sessions/s'), 'utf8')).toBe('one');
});

test('a part that was changed in the store, or has gone from it, is lost as well', async () => {
  await using at = await fixture(FILES);
  const { workspace } = await at.open(PRIVATE);
  await agentIn(workspace.folder).write({ 'x.local': 'x' });
  await writeFiles(workspace.homes, { 'codex/sessions/s': 'one' });
  const checkpoint = await workspace.checkpoint();
  const [carry = '', homes = ''] = await Promise.all(
    ['carry', 'homes'].map(async (name) => {
      const entry = (await entries(at, checkpoint))[name]?.split(' ')[1] ?? '';
      return plainGit(at.store.path, 'rev-parse', `${entry}:000000`);
    }),
  );
  const fileOf = (id: string) => join(at.store.path, 'objects', id.slice(0, 2), id.slice(2));
  await rm(fileOf(carry));
  await chmod(fileOf(homes), 0o600);
  await writeFile(fileOf(homes), await readFile(fileOf(await plainGit(at.store.path, 'rev-parse', checkpoint))));
  const { workspace: next, notes } = await at.elsewhere({ ...PRIVATE, checkpoint });
  expect(notes.filter((note) => note.endsWith('they are lost.'))).toHaveLength(2);
  expect(await exists(join(next.homes, 'codex/sessions'))).toBe(false);
});

test('what a checkpoint kept before parts were encrypted comes back, and is encrypted from then on', async () => {
  await using at = await fixture(FILES);
  const git = (...args: string[]) => plainGit(at.repository.path, ...args);
  await writeFiles(at.repository.path, { 'homes/codex/sessions/s': 'one', 'carry/x.local': 'x', 'tree/a.txt': 'a\n' });
  await git('add', '--force', 'homes', 'carry', 'tree');
  await git('rm', '--quiet', '--cached', 'a.txt', '.gitignore');
  await git('commit', '--quiet', '-m', 'As it was');
  const checkpoint = await at.store.fetchCommit('main');
  const { workspace } = await at.open({ ...PRIVATE, checkpoint });
  expect(await agentIn(workspace.homes).read('codex/sessions/s')).toBe('one');
  expect(await agentIn(workspace.folder).read('x.local')).toBe('x');
  expect(Object.values(await entries(at, await workspace.checkpoint()))).toEqual([
    expect.stringMatching(/^carry\.[0-9a-f]{40} /),
    expect.stringMatching(/^homes\.[0-9a-f]{40} /),
    expect.stringMatching(/^tree /),
  ]);
});
