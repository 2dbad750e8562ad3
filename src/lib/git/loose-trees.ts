import { readLooseObject } from './loose-objects.ts';

export interface TreeEntry {
  /** As git writes it: octal digits, `40000` for a folder. */
  readonly mode: string;
  /** One character per byte. */
  readonly name: string;
  readonly id: string;
}

export const FOLDER = '40000';
export const GITLINK = '160000';

/** What a tree holds; undefined where it has no file of its own, as those of the latest commits have. Saves a process of git. */
export async function readLooseTree(gitDir: string, id: string): Promise<TreeEntry[] | undefined> {
  const object = await readLooseObject(gitDir, id);
  return object?.type === 'tree' ? treeEntries(object.content, id.length / 2) : undefined;
}

/** Each is its mode, a space, its name, a NUL and its id in bytes. */
export function treeEntries(content: Buffer, idBytes: number): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const end = content.indexOf(0, space);
    entries.push({
      mode: content.toString('latin1', at, space),
      name: content.toString('latin1', space + 1, end),
      id: content.toString('hex', end + 1, end + 1 + idBytes),
    });
    at = end + 1 + idBytes;
  }
  return entries;
}
