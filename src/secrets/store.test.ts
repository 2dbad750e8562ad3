import { chmod, link, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../testing/temp-repository.ts';
import type { Keyring, KeyringPlace } from './keyring.ts';
import { openSecretStore, type SecretStoreKind } from './store.ts';

/** Values in memory. */
function memoryKeyring(): Keyring & { readonly values: Map<string, string>; gets: number } {
  const key = ({ home, name, repository }: KeyringPlace) => `${home} ${repository} ${name}`;
  const values = new Map<string, string>();
  return {
    program: 'memory',
    values,
    gets: 0,
    async put(place, value) {
      values.set(key(place), value);
    },
    async get(place) {
      this.gets += 1;
      return values.get(key(place));
    },
    async remove(place) {
      values.delete(key(place));
    },
  };
}

async function storeIn(folder: string) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'secrets.json');
  const keyring = memoryKeyring();
  const chosen: { kind: SecretStoreKind } = { kind: 'file' };
  return { file, keyring, chosen, store: openSecretStore({ home: folder, file, keyring, kind: () => chosen.kind }) };
}

const at = (n: number) => new Date(n * 1000).toISOString();
const npm = { name: 'NPM_TOKEN', repository: 'shop', setAt: at(1), value: 'npm_0123456789' };
const forAll = { name: 'NPM_TOKEN', repository: null, setAt: at(2), value: 'npm_for_everybody' };

test('a secret is there again with its value, each repository has its own, and the last one counts', async () => {
  await using temp = await tempFolder('secrets');
  const { store } = await storeIn(join(temp.path, 'home'));
  expect(await store.list()).toEqual([]);
  expect(await store.put(npm)).toBe(false);
  expect(await store.put(forAll)).toBe(false);
  expect(await store.put({ ...npm, value: 'another', setAt: at(3) })).toBe(true);
  expect(await store.read()).toEqual([forAll, { ...npm, value: 'another', setAt: at(3) }]);
  expect(JSON.stringify(await store.list())).not.toContain('another');
  expect(await store.remove({ name: 'NPM_TOKEN', repository: null })).toBe(true);
  expect(await store.remove({ name: 'NPM_TOKEN', repository: null })).toBe(false);
  expect(await store.list()).toHaveLength(1);
});

test('many that are set at once are all there', async () => {
  await using temp = await tempFolder('secrets');
  const { store } = await storeIn(join(temp.path, 'home'));
  const names = Array.from({ length: 20 }, (_, n) => `S${n}`);
  await Promise.all(names.map((name) => store.put({ ...npm, name })));
  expect((await store.list()).map(({ name }) => name).toSorted()).toEqual(names.toSorted());
});

test('the file is for its owner alone, and nothing is left beside it', async () => {
  await using temp = await tempFolder('secrets');
  const { store, file } = await storeIn(join(temp.path, 'home'));
  await writeFile(`${file}.draft`, 'of one that died', { mode: 0o644 });
  await store.put(npm);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(temp.path, 'home'))).toEqual(['secrets.json']);
});

test('a file that others may read or change is refused, with what to do, and left as it is', async () => {
  await using temp = await tempFolder('secrets');
  const { store, file } = await storeIn(join(temp.path, 'home'));
  await store.put(npm);
  const before = await readFile(file, 'utf8');
  for (const mode of [0o640, 0o604, 0o620, 0o602]) {
    await chmod(file, mode);
    const refused = { code: 'secret/readable', hint: expect.stringContaining(`chmod 600 '${file}'`) };
    await expect(store.read()).rejects.toMatchObject(refused);
    await expect(store.list()).rejects.toMatchObject(refused);
    await expect(store.put(forAll)).rejects.toMatchObject(refused);
    await expect(store.remove(npm)).rejects.toMatchObject(refused);
  }
  await chmod(file, 0o600);
  expect(await readFile(file, 'utf8')).toBe(before);
  expect(await store.read()).toEqual([npm]);
});

test('a folder that others may look into is refused, before anything is written into it', async () => {
  await using temp = await tempFolder('secrets');
  const folder = join(temp.path, 'home');
  const { store } = await storeIn(folder);
  await chmod(folder, 0o750);
  const refused = { code: 'secret/readable', hint: expect.stringContaining(`chmod 700 '${folder}'`) };
  await expect(store.put(npm)).rejects.toMatchObject(refused);
  expect(await readdir(folder)).toEqual([]);
  await chmod(folder, 0o700);
  await store.put(npm);
  await chmod(folder, 0o755);
  await expect(store.read()).rejects.toMatchObject(refused);
});

test('a link in the place of the file is not followed, and what is no file of secrets is said to be none', async () => {
  await using temp = await tempFolder('secrets');
  const { store, file } = await storeIn(join(temp.path, 'home'));
  await store.put(npm);
  await rename(file, join(temp.path, 'elsewhere'));
  await symlink(join(temp.path, 'elsewhere'), file);
  await expect(store.read()).rejects.toMatchObject({ code: 'secret/readable' });
  await rename(join(temp.path, 'elsewhere'), file);
  await link(file, join(temp.path, 'another name'));
  expect(await store.read()).toEqual([npm]);
  await writeFile(file, '{"schema":2}');
  await expect(store.read()).rejects.toMatchObject({ code: 'secret/store-broken' });
});

test('with the keyring no file holds a value, and each is asked for once', async () => {
  await using temp = await tempFolder('secrets');
  const { store, file, keyring, chosen } = await storeIn(join(temp.path, 'home'));
  chosen.kind = 'keyring';
  await store.put(npm);
  expect(await readFile(file, 'utf8')).not.toContain(npm.value);
  expect(await store.read()).toEqual([npm]);
  await store.read();
  expect(keyring.gets).toBe(1);
  await store.put({ ...npm, value: 'another one', setAt: at(5) });
  expect(await store.read()).toMatchObject([{ value: 'another one' }]);
  await store.remove(npm);
  expect(keyring.values.size).toBe(0);
});

test('where the store was changed meanwhile, what is set again leaves the old place, and the others stay where they are', async () => {
  await using temp = await tempFolder('secrets');
  const { store, file, keyring, chosen } = await storeIn(join(temp.path, 'home'));
  await store.put(forAll);
  chosen.kind = 'keyring';
  await store.put(npm);
  expect(await store.read()).toEqual([forAll, npm]);
  await store.put(forAll);
  expect(await readFile(file, 'utf8')).not.toContain(forAll.value);
  chosen.kind = 'file';
  await store.put(npm);
  expect([...keyring.values.values()]).toEqual([forAll.value]);
});

test('what was taken out of the keyring by other means is not there any more', async () => {
  await using temp = await tempFolder('secrets');
  const { store, keyring, chosen } = await storeIn(join(temp.path, 'home'));
  chosen.kind = 'keyring';
  await store.put(npm);
  keyring.values.clear();
  expect(await store.read()).toEqual([]);
});
