import type { Commit, Signature } from './commits.ts';
import { readLooseObject } from './loose-objects.ts';

/** Commits that have files of their own, as the latest have, read here: it saves a process of git for each. */

/** The commit, as `git log` tells it; undefined where it has no file of its own, or only git can say what is in it. */
export async function readLooseCommit(gitDir: string, id: string): Promise<Commit | undefined> {
  const content = await contentOf(gitDir, id);
  const end = content?.indexOf('\n\n') ?? -1;
  if (content === undefined || end === -1) return undefined;
  const headers = content.slice(0, end).split('\n');
  const message = content.slice(end + 2);
  const value = (name: string) => headers.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
  const [tree, author, committer] = [value('tree'), signatureOf(value('author')), signatureOf(value('committer'))];
  if (tree === undefined || author === undefined || committer === undefined) return undefined;
  if (value('encoding') !== undefined || message.startsWith('\n')) return undefined;
  return { id, tree, parents: parentsIn(headers), author, committer, message };
}

/** The parents of a commit; none are told of one that has no file of its own. */
export async function parentsOf(gitDir: string, id: string): Promise<readonly string[]> {
  const content = await contentOf(gitDir, id);
  return content === undefined ? [] : parentsIn(content.slice(0, content.indexOf('\n\n')).split('\n'));
}

async function contentOf(gitDir: string, id: string): Promise<string | undefined> {
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(id)) return undefined;
  const object = await readLooseObject(gitDir, id);
  if (object?.type !== 'commit') return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(object.content);
  } catch {
    return undefined;
  }
}

function parentsIn(headers: readonly string[]): string[] {
  return headers.filter((line) => line.startsWith('parent ')).map((line) => line.slice('parent '.length));
}

/** Only in the form that git itself writes. */
function signatureOf(line: string | undefined): Signature | undefined {
  const parts = /^([^<>]*[^<> ]) <([^<> ]*)> (\d+ [+-]\d{4})$/.exec(line ?? '');
  if (parts === null) return undefined;
  const [, name = '', email = '', date = ''] = parts;
  return name.startsWith(' ') ? undefined : { name, email, date };
}
