import { openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Something that a program is started with, open for reading from its beginning. */
export type HandedFile =
  | { readonly path: string }
  /** A file without a name. Where the system has such only on a disk, it lies for a moment in the folder, for this user alone. */
  | { readonly content: string; readonly folder: string };

/** A descriptor of ours, which the caller closes. */
export function openHanded(file: HandedFile): number {
  return 'path' in file ? openSync(file.path, 'r') : namelessFile(file);
}

let count = 0;

function namelessFile({ folder, content }: { folder: string; content: string }): number {
  const path = join(folder, `${process.pid}-${++count}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  rmSync(path);
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at, at);
  return descriptor;
}
