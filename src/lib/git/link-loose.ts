import { existsSync, linkSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type LooseObject, readLooseObject } from './loose-objects.ts';
import { FOLDER, GITLINK, treeEntries } from './loose-trees.ts';

export interface LinkRequest {
  /** Commits and trees that the repository has. */
  readonly ids: readonly string[];
  /** Commits and trees that need not be there, nor anything that they hold. */
  readonly without: ReadonlySet<string>;
  /** A folder of objects on the same disk; nobody else writes there. */
  readonly into: string;
  /** Folders of objects that hold, beside each, all that it holds: whoever reads the links reads these as well. */
  readonly beside?: readonly string[];
}

/** As many objects to link, or to look for, git does as quickly. */
const MOST = 1000;
const MOST_SEEN = 5 * MOST;

/**
 * Has a folder of objects hold all that these commits and trees hold of the repository's own, by links to the files that git has for its
 * latest objects. What the repository borrows is left out. It saves a process of git; false, and some of it may be there, where git has to do
 * it: they are many, the repository has packs of its own, or the folder cannot be linked to. An object gets there after all that it holds.
 */
export async function linkLooseObjects(
  gitDir: string,
  { ids, without, into, beside = [] }: LinkRequest,
): Promise<boolean> {
  const own = join(gitDir, 'objects');
  if (hasPacks(own)) return false;
  const linking: Linking = { gitDir, own, into, there: [into, ...beside], without, seen: new Set(), linked: 0 };
  try {
    for (const id of ids) if (!(await linkAll(linking, id))) return false;
  } catch {
    return false;
  }
  // Of what was packed meanwhile, the files may have gone before they were looked for.
  return !hasPacks(own);
}

interface Linking {
  readonly gitDir: string;
  readonly own: string;
  readonly into: string;
  readonly there: readonly string[];
  readonly without: ReadonlySet<string>;
  readonly seen: Set<string>;
  linked: number;
}

const isWorthIt = ({ seen, linked }: Linking): boolean => linked <= MOST && seen.size <= MOST_SEEN;

async function linkAll(linking: Linking, id: string): Promise<boolean> {
  if (!isWanted(linking, id)) return isWorthIt(linking);
  const object = await readLooseObject(linking.gitDir, id);
  if (object === undefined) return false;
  const held = heldBy(object, id.length / 2);
  if (held === undefined) return false;
  for (const { id: inner, isBlob } of held) {
    if (!isBlob) {
      if (!(await linkAll(linking, inner))) return false;
    } else if (isWanted(linking, inner)) link(linking, inner);
  }
  link(linking, id);
  return isWorthIt(linking);
}

/** Whether it is the repository's own, and not there yet. */
function isWanted({ own, there, without, seen }: Linking, id: string): boolean {
  if (without.has(id) || seen.has(id)) return false;
  seen.add(id);
  return existsSync(fileIn(own, id)) && !there.some((folder) => existsSync(fileIn(folder, id)));
}

function link(linking: Linking, id: string): void {
  const { own, into } = linking;
  const folder = join(into, id.slice(0, 2));
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  linkSync(fileIn(own, id), fileIn(into, id));
  linking.linked++;
}

interface Held {
  readonly id: string;
  readonly isBlob: boolean;
}

/** What a commit or tree holds, submodules aside; undefined for anything else. */
function heldBy({ type, content }: LooseObject, idBytes: number): Held[] | undefined {
  if (type === 'tree') {
    const entries = treeEntries(content, idBytes).filter(({ mode }) => mode !== GITLINK);
    return entries.map(({ mode, id }) => ({ id, isBlob: mode !== FOLDER }));
  }
  if (type !== 'commit') return undefined;
  const headers = content.toString('latin1').split('\n\n', 1)[0]?.split('\n') ?? [];
  const lines = headers.filter((line) => line.startsWith('tree ') || line.startsWith('parent '));
  return lines.map((line) => ({ id: line.slice(line.indexOf(' ') + 1), isBlob: false }));
}

function hasPacks(objects: string): boolean {
  return readdirSync(join(objects, 'pack')).length > 0;
}

function fileIn(objects: string, id: string): string {
  return join(objects, id.slice(0, 2), id.slice(2));
}
