import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TempFolder, tempFolder } from '../../testing/temp-repository.ts';
import { dropLooseObjects, moveLooseObjects, readLooseObject, writeLooseObject } from './loose-objects.ts';

let temp: TempFolder;
beforeAll(async () => {
  temp = await tempFolder();
});
afterAll(async () => temp[Symbol.asyncDispose]());

let made = 0;

function repository(format: 'sha1' | 'sha256' = 'sha1'): string {
  const path = join(temp.path, `r${made++}.git`);
  execFileSync('git', ['init', '-q', '--bare', `--object-format=${format}`, path]);
  return path;
}

function git(gitDir: string, args: readonly string[], input = ''): string {
  return execFileSync('git', [`--git-dir=${gitDir}`, ...args], { input, stdio: ['pipe', 'pipe', 'ignore'] })
    .toString()
    .trim();
}

const blob = (gitDir: string, text: string) => git(gitDir, ['hash-object', '-w', '--stdin'], text);
const has = (gitDir: string, id: string) => !git(gitDir, ['cat-file', '--batch-check'], id).endsWith('missing');
const pathOf = (gitDir: string, id: string) => join(gitDir, 'objects', id.slice(0, 2), id.slice(2));

test('what was written here git reads, and what git has written is read here', async () => {
  for (const format of ['sha1', 'sha256'] as const) {
    const place = repository(format);
    const like = blob(place, 'by git\n');
    const content = Buffer.from('by us\n');
    const id = await writeLooseObject(place, { type: 'blob', content, like });
    expect(git(place, ['cat-file', 'blob', id])).toBe('by us');
    expect(await readLooseObject(place, like)).toEqual({ type: 'blob', content: Buffer.from('by git\n') });
  }
});

test('an object that a repository borrows is found, and is not its own to move', async () => {
  const [lender, borrower, other] = [repository(), repository(), repository()];
  const alternates = join(borrower, 'objects/info/alternates');
  const id = blob(lender, 'lent\n');
  expect(await readLooseObject(borrower, id)).toBeUndefined();
  for (const path of [join(lender, 'objects'), join('../..', basename(lender), 'objects')]) {
    await writeFile(alternates, `# of another\n${path}\n`);
    expect((await readLooseObject(borrower, id))?.content.toString()).toBe('lent\n');
  }
  expect(await moveLooseObjects(borrower, other)).toBe(true);
  expect(has(other, id)).toBe(false);
});

test('an object in a pack is not found by itself', async () => {
  const place = repository();
  const id = blob(place, 'packed');
  git(place, ['pack-objects', join(place, 'objects/pack/pack')], id);
  git(place, ['prune-packed']);
  expect(has(place, id)).toBe(true);
  expect(await readLooseObject(place, id)).toBeUndefined();
});

test('objects move with all that they are made of, and are gone from where they were', async () => {
  for (const format of ['sha1', 'sha256'] as const) {
    const [from, to] = [repository(format), repository(format)];
    const file = blob(from, 'content\n');
    const tree = git(from, ['mktree'], `100644 blob ${file}\tname\n`);
    expect(await moveLooseObjects(from, to)).toBe(true);
    expect(git(to, ['ls-tree', tree])).toContain(file);
    expect(git(to, ['cat-file', 'blob', file])).toBe('content');
    expect(has(from, file)).toBe(false);
    git(to, ['fsck', '--strict']);
  }
});

test('an object that is there already is no hindrance', async () => {
  const [from, to] = [repository(), repository()];
  const id = blob(from, 'both');
  blob(to, 'both');
  expect(await moveLooseObjects(from, to)).toBe(true);
  expect(git(to, ['cat-file', 'blob', id])).toBe('both');
});

test('an object that is not what its name says does not move', async () => {
  const [from, to] = [repository(), repository()];
  const [good, other] = [blob(from, 'good'), blob(from, 'other')];
  await rename(pathOf(from, other), pathOf(from, good));
  expect(await moveLooseObjects(from, to)).toBe(false);
  expect(has(to, good)).toBe(false);
});

test('an object behind a link, a damaged one and a bomb do not move', async () => {
  const [from, to] = [repository(), repository()];
  const id = blob(from, 'aim');
  await rename(pathOf(from, id), join(temp.path, 'aim'));
  await symlink(join(temp.path, 'aim'), pathOf(from, id));
  expect(await moveLooseObjects(from, to)).toBe(false);

  const damaged = repository();
  const [one, two] = [blob(damaged, 'one'), '00'.repeat(20)];
  await mkdir(join(damaged, 'objects/00'), { recursive: true });
  await writeFile(pathOf(damaged, two), 'no zlib');
  expect(await moveLooseObjects(damaged, to)).toBe(false);
  expect(has(to, one)).toBe(false);

  const bomb = repository();
  const whole = Buffer.concat([Buffer.from(`blob ${2 ** 26}\0`), Buffer.alloc(2 ** 26)]);
  const name = createHash('sha1').update(whole).digest('hex');
  await mkdir(join(bomb, 'objects', name.slice(0, 2)), { recursive: true });
  await writeFile(pathOf(bomb, name), deflateSync(whole));
  expect(await moveLooseObjects(bomb, to)).toBe(false);
  expect(has(to, name)).toBe(false);
});

test('many objects, or packs, are left to git', async () => {
  const [many, packed, to] = [repository(), repository(), repository()];
  const ids = Array.from({ length: 30 }, (_, n) => blob(many, `number ${n}`));
  expect(await moveLooseObjects(many, to)).toBe(false);
  expect(ids.filter((id) => has(to, id))).toEqual([]);
  git(packed, ['pack-objects', join(packed, 'objects/pack/pack')], blob(packed, 'x'));
  expect(await moveLooseObjects(packed, to)).toBe(false);
});

test('only what the other repository has as well is dropped', async () => {
  const [own, other] = [repository(), repository()];
  const [both, packed, alone] = [blob(own, 'both'), blob(own, 'packed'), blob(own, 'alone')];
  blob(other, 'both');
  git(other, ['pack-objects', join(other, 'objects/pack/pack')], blob(other, 'packed'));
  git(other, ['prune-packed']);
  await dropLooseObjects(own, other);
  expect([both, packed, alone].map((id) => has(own, id))).toEqual([false, false, true]);
});
