import { randomBytes } from 'node:crypto';
import { open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type TreeEntry, writeTree } from '../lib/git/commits.ts';
import { readLooseObject } from '../lib/git/loose-objects.ts';
import { plainGit, tempFolder } from '../testing/temp-repository.ts';
import { checkpointKey, KEY_FILE } from './checkpoint-key.ts';
import { createBareRepository } from './create-bare-repository.ts';
import { sealPack, unsealPack } from './sealed-packs.ts';

const OF = 'a'.repeat(40);
const OTHER = 'b'.repeat(40);

async function sealing() {
  const folder = await tempFolder('switchyard-sealed');
  const store = join(folder.path, 'store.git');
  await createBareRepository(store, 'sha1');
  const seal = async (bytes: Buffer, { of = OF, pieceBytes }: { of?: string; pieceBytes?: number } = {}) => {
    const path = join(folder.path, 'pack');
    await writeFile(path, bytes);
    await using file = await open(path);
    return await sealPack(file, { store, of, ...(pieceBytes === undefined ? {} : { pieceBytes }) });
  };
  const unseal = async (tree: string, of = OF) => {
    const pieces: Buffer[] = [];
    for await (const piece of unsealPack(tree, { store, of })) pieces.push(piece);
    return Buffer.concat(pieces);
  };
  const piecesOf = async (tree: string): Promise<TreeEntry[]> =>
    (await plainGit(store, 'ls-tree', tree)).split('\n').map((line) => {
      const [, , id = '', name = ''] = line.split(/[ \t]/);
      return { mode: '100644', name, id };
    });
  const whole = (ids: readonly string[]) =>
    writeTree(
      store,
      ids.map((id, n) => ({ mode: '100644', name: String(n).padStart(6, '0'), id })),
      OF,
    );
  return { store, seal, unseal, piecesOf, whole, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

test.each([0, 1, 99, 100, 101, 250])('%i bytes come back, in pieces of a hundred', async (length) => {
  await using at = await sealing();
  const bytes = randomBytes(length);
  const tree = await at.seal(bytes, { pieceBytes: 100 });
  expect(await at.piecesOf(tree)).toHaveLength(Math.max(1, Math.ceil(length / 100)));
  expect((await at.unseal(tree)).equals(bytes)).toBe(true);
});

test('the same pack gives the same tree; no nonce serves for another pack, or for one of something else', async () => {
  await using at = await sealing();
  const bytes = randomBytes(250);
  const how = { pieceBytes: 100 };
  const tree = await at.seal(bytes, how);
  expect(await at.seal(bytes, how)).toBe(tree);
  const changed = Buffer.from(bytes);
  changed[0] = (changed[0] ?? 0) ^ 1;
  const others = [await at.seal(changed, how), await at.seal(bytes, { ...how, of: OTHER })];
  const nonces = await Promise.all(
    [tree, ...others].map(async (one) => {
      const [first] = await at.piecesOf(one);
      const blob = await readLooseObject(at.store, first?.id ?? '');
      return blob?.content.subarray(0, 12).toString('hex');
    }),
  );
  expect(new Set(nonces).size).toBe(3);
});

test('pieces that were left out, exchanged, repeated or taken from elsewhere are refused', async () => {
  await using at = await sealing();
  const tree = await at.seal(randomBytes(250), { pieceBytes: 100 });
  const [a = '', b = '', c = ''] = (await at.piecesOf(tree)).map(({ id }) => id);
  const [x = ''] = (await at.piecesOf(await at.seal(randomBytes(250), { pieceBytes: 100, of: OTHER }))).map(
    ({ id }) => id,
  );
  expect(await at.whole([a, b, c])).toBe(tree);
  for (const ids of [[], [a], [a, b], [b, a, c], [a, c], [a, b, c, c], [x, b, c]])
    await expect(at.unseal(await at.whole(ids)), ids.join()).rejects.toThrow();
  await expect(at.unseal(tree, OTHER)).rejects.toThrow('encrypted under another key');
});

test('a key is made once, whoever asks for it at the same time, and is for its owner alone', async () => {
  await using at = await sealing();
  const keys = await Promise.all(Array.from({ length: 5 }, () => checkpointKey(at.store)));
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
  expect(keys[0]).toHaveLength(32);
  expect((await stat(join(at.store, KEY_FILE))).mode & 0o777).toBe(0o600);
});

test('a file that is no key is refused, never written over', async () => {
  await using at = await sealing();
  await writeFile(join(at.store, KEY_FILE), 'short');
  await expect(checkpointKey(at.store)).rejects.toMatchObject({ code: 'workspace/bad-key' });
});
