import { messageOf } from '../lib/error.ts';
import { listCheckout, MAX_BYTES, readInside } from './checkout-files.ts';

/** The files of a repository's `.switchyard/` that are in force for a run. */
export interface SwitchyardFolder {
  /** Text by path below `.switchyard/`: `config.yaml`, `blueprints/NAME.yaml`, `blueprints/prompts/NAME.md`. */
  readonly files: ReadonlyMap<string, string>;
  /** What a person must know about where they come from, one sentence each. */
  readonly notes: readonly string[];
  /** Paths in the checkout of the files that only it has, and that are in force all the same. */
  readonly uncommitted: readonly string[];
}

export interface FolderSource {
  /** The text of a file of the base commit, by path within the repository; undefined when there is none. */
  atCommit(path: string): Promise<string | undefined>;
  /** Paths within the repository of the base commit's files below `.switchyard/`. */
  listAtCommit(): Promise<readonly string[]>;
  /** The person's checkout, for a run that was started from one. */
  readonly checkout?: string | undefined;
}

export const FOLDER = '.switchyard';
const IN_FORCE = /^(?:config\.yaml|blueprints\/[^/]+\.yaml|blueprints\/prompts\/[^/]+\.md)$/;
const MISSPELT = /^(?:config\.yml|blueprints\/[^/]+\.yml)$/;
const MAX_FILES = 200;

/**
 * The base commit's files count. One that only the checkout has is in force too, since that run is the person's own; one that
 * both have is read from the commit. What is read, left out or different is said in the notes.
 */
export async function readSwitchyardFolder(source: FolderSource): Promise<SwitchyardFolder> {
  const notes: string[] = [];
  const files = new Map<string, string>();
  const committed = relevant(await source.listAtCommit(), notes);
  for (const path of committed) {
    const text = await source.atCommit(`${FOLDER}/${path}`);
    if (text === undefined) continue;
    if (text.length <= MAX_BYTES) files.set(path, text);
    else notes.push(`${FOLDER}/${path} was not read: it is larger than ${MAX_BYTES / 1024} KiB`);
  }
  const uncommitted = source.checkout === undefined ? [] : await addFromCheckout(source.checkout, files, notes);
  return { files, notes, uncommitted };
}

async function addFromCheckout(checkout: string, files: Map<string, string>, notes: string[]): Promise<string[]> {
  const uncommitted: string[] = [];
  const different: string[] = [];
  for (const path of relevant(await listCheckout(checkout, FOLDER), notes)) {
    const read = await readInside(checkout, `${FOLDER}/${path}`).catch((error: unknown) => ({
      refused: messageOf(error),
    }));
    const committed = files.get(path);
    if (typeof read === 'object') {
      if (committed === undefined) notes.push(`${FOLDER}/${path} was not read: ${read.refused}`);
    } else if (committed === undefined) {
      uncommitted.push(path);
      files.set(path, read);
    } else if (!sameText(committed, read)) {
      different.push(path);
    }
  }
  if (uncommitted.length > 0)
    notes.push(`${count(uncommitted, 'is', 'are')} not committed: in force for your local runs only`);
  if (different.length > 0)
    notes.push(
      `${count(different, 'differs', 'differ')} from the base commit, which is in force: ${different.join(', ')}`,
    );
  return uncommitted.map((path) => `${FOLDER}/${path}`);
}

/** Git may turn the ends of lines on checkout. */
function sameText(a: string, b: string): boolean {
  return a.replaceAll('\r\n', '\n') === b.replaceAll('\r\n', '\n');
}

/** Paths below the folder that have a meaning, sorted; a near miss is said. */
function relevant(paths: readonly string[], notes: string[]): string[] {
  const inner = paths.filter((path) => path.startsWith(`${FOLDER}/`)).map((path) => path.slice(FOLDER.length + 1));
  for (const path of inner.filter((candidate) => MISSPELT.test(candidate))) {
    const note = `${FOLDER}/${path} is not read: its name has to end in .yaml`;
    if (!notes.includes(note)) notes.push(note);
  }
  const found = inner.filter((path) => IN_FORCE.test(path)).sort();
  if (found.length > MAX_FILES)
    notes.push(`${FOLDER}/ has ${found.length} files; only the first ${MAX_FILES} are read`);
  return found.slice(0, MAX_FILES);
}

function count(paths: readonly string[], one: string, many: string): string {
  return `${paths.length} ${paths.length === 1 ? `file of ${FOLDER}/ ${one}` : `files of ${FOLDER}/ ${many}`}`;
}
