import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { type TreeEntry, writeTree } from '../lib/git/commits.ts';
import { git, splitNul } from '../lib/git/git.ts';
import { writeLooseObject } from '../lib/git/loose-objects.ts';
import { checkpointKey } from './checkpoint-key.ts';

/**
 * A pack as it lies in the git store: encrypted, in pieces, each of them a blob (AES-256-GCM: nonce, cipher text, tag) of one tree. What a
 * piece belongs to, its number, and whether it is the last are authenticated with it. The nonce is made of all that and of the text
 * itself, under a key of its own, so that the same pack gives the same tree, and no nonce serves for two texts.
 */

/** So much is in memory at a time, whatever the size of the pack. */
const PIECE = 8 * 1024 * 1024;
const NONCE = 12;
const TAG = 16;

export interface Sealing {
  /** The git store's bare repository. */
  readonly store: string;
  /** What the pack is of: an id in the store's object format. */
  readonly of: string;
  /** Of the pieces; without it, one that spares memory. */
  readonly pieceBytes?: number;
}

/** Writes a pack, read from the file's beginning, into the store; returns the tree of its pieces. */
export async function sealPack(pack: FileHandle, { store, of, pieceBytes = PIECE }: Sealing): Promise<string> {
  const keys = await keysOf(store);
  const { size } = await pack.stat();
  const last = Math.max(0, Math.ceil(size / pieceBytes) - 1);
  const entries: TreeEntry[] = [];
  for (let number = 0; number <= last; number++) {
    const at = number * pieceBytes;
    const text = await readAt(pack, { at, length: Math.min(pieceBytes, size - at) });
    const content = encrypt(keys, { text, about: about(of, number, number === last) });
    const id = await writeLooseObject(store, { type: 'blob', content, like: of });
    entries.push({ mode: '100644', name: nameOf(number), id });
  }
  return writeTree(store, entries, of);
}

/**
 * Reads what `sealPack` wrote, piece by piece. Throws where a piece is missing, was changed, or was encrypted under another key; what
 * came before it is then worth nothing either.
 */
export async function* unsealPack(tree: string, { store, of }: Sealing): AsyncGenerator<Buffer> {
  const keys = await keysOf(store);
  const entries = splitNul(await git(['ls-tree', '-z', tree], { gitDir: store }));
  if (entries.length === 0) throw new Error('there is nothing in it');
  for (const [number, entry] of entries.entries()) {
    const [, type, id = ''] = entry.slice(0, entry.indexOf('\t')).split(' ');
    const name = entry.slice(entry.indexOf('\t') + 1);
    if (type !== 'blob' || name !== nameOf(number)) throw new Error(`piece ${number} is missing`);
    const content = await git(['cat-file', 'blob', id], { gitDir: store });
    yield decrypt(keys, { content, about: about(of, number, number === entries.length - 1) });
  }
}

interface Keys {
  readonly text: Buffer;
  readonly nonce: Buffer;
}

async function keysOf(store: string): Promise<Keys> {
  const key = await checkpointKey(store);
  const derived = (use: string) => Buffer.from(hkdfSync('sha256', key, '', `switchyard checkpoint ${use}`, 32));
  return { text: derived('text'), nonce: derived('nonce') };
}

function encrypt({ text: key, nonce: nonceKey }: Keys, { text, about }: { text: Buffer; about: Buffer }): Buffer {
  const nonce = createHmac('sha256', nonceKey).update(about).update(text).digest().subarray(0, NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(about);
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

function decrypt({ text: key }: Keys, { content, about }: { content: Buffer; about: Buffer }): Buffer {
  if (content.length < NONCE + TAG) throw new Error('a piece was cut off');
  const cipher = createDecipheriv('aes-256-gcm', key, content.subarray(0, NONCE), { authTagLength: TAG });
  cipher.setAAD(about).setAuthTag(content.subarray(-TAG));
  const text = cipher.update(content.subarray(NONCE, -TAG));
  try {
    return Buffer.concat([text, cipher.final()]);
  } catch (cause) {
    throw new Error('it was changed, or encrypted under another key', { cause });
  }
}

/** As long for every piece of every pack, or one could be taken for another. */
function about(of: string, number: number, isLast: boolean): Buffer {
  return Buffer.from(`switchyard 1 ${of} ${nameOf(number)} ${isLast ? 'last' : 'more'}\n`);
}

/** In git's order. */
const nameOf = (number: number): string => String(number).padStart(6, '0');

async function readAt(file: FileHandle, { at, length }: { at: number; length: number }): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, at + filled);
    if (bytesRead === 0) throw new Error('the pack became shorter while it was read');
    filled += bytesRead;
  }
  return buffer;
}
