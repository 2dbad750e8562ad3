import { runGit, splitNul } from '../../lib/git/git.ts';
import { type Gitlink, gitlinksAt } from '../../lib/git/gitlinks.ts';

/** A submodule as a commit names it. */
export interface DeclaredSubmodule {
  /** Within its repository, as text. */
  readonly path: string;
  readonly commit: string;
  /** What `.gitmodules` calls it; git keeps the person's clone of it by this name. */
  readonly name: string;
  /** As `.gitmodules` has it; it may be anything. */
  readonly url: string | undefined;
}

/** The submodules of a commit, and the gitlinks for which `.gitmodules` has no usable entry. */
export async function submodulesIn(
  gitDir: string,
  commit: string,
): Promise<{ declared: DeclaredSubmodule[]; unnamed: string[] }> {
  const links = await gitlinksAt(gitDir, commit);
  if (links.length === 0) return { declared: [], unnamed: [] };
  const names = await readGitmodules(gitDir, commit);
  const declared: DeclaredSubmodule[] = [];
  const unnamed: string[] = [];
  for (const link of links) {
    const path = textOf(link);
    const entry = names.find((one) => one.path === path);
    if (path === undefined || entry === undefined) unnamed.push(path ?? JSON.stringify(link.path));
    else declared.push({ path, commit: link.commit, name: entry.name, url: entry.url });
  }
  return { declared, unnamed };
}

/** A path that is no text in UTF-8 cannot stand in `.gitmodules` either. */
function textOf({ path }: Gitlink): string | undefined {
  const text = Buffer.from(path, 'latin1').toString();
  return text.includes('\ufffd') ? undefined : text;
}

interface Entry {
  readonly name: string;
  path?: string;
  url?: string;
}

/** Only the blob of the commit is read, as a configuration file without includes; git says nothing of one that it cannot parse. */
async function readGitmodules(gitDir: string, commit: string): Promise<Entry[]> {
  const args = ['config', '-z', '--no-includes', `--blob=${commit}:.gitmodules`, '--get-regexp', KEYS];
  const { code, stdout } = await runGit(args, { gitDir });
  if (code !== 0) return [];
  const entries = new Map<string, Entry>();
  for (const field of splitNul(stdout)) {
    const [key = '', ...value] = field.split('\n');
    const name = key.slice('submodule.'.length, key.lastIndexOf('.'));
    if (!isName(name)) continue;
    const entry = entries.get(name) ?? { name };
    if (key.endsWith('.path')) entry.path = value.join('\n').replace(/\/+$/, '');
    else entry.url = value.join('\n');
    entries.set(name, entry);
  }
  return [...entries.values()];
}

const KEYS = '^submodule\\..*\\.(path|url)$';

/** It becomes the name of a folder in the person's git directory. */
function isName(name: string): boolean {
  return (
    name !== '' &&
    !name.startsWith('/') &&
    !/[\p{Cc}\\]/u.test(name) &&
    !name.split('/').some((part) => /^\.*$/.test(part))
  );
}
