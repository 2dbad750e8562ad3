import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bringLfsObjects, hasLfsObject, lfsObject, lfsPointersAt } from '../../lib/git/lfs.ts';
import { plainGit, tempRepository, writeFiles } from '../../testing/temp-repository.ts';
import { agentIn, type Fixture, fixture, TEXT } from '../fixture.ts';
import { bringLfs } from './bring-lfs.ts';
import { lfsEndpoint } from './endpoint.ts';

const BYTES = randomBytes(3000).toString('base64');
const oidOf = (text: string) => createHash('sha256').update(text).digest('hex');
const pointer = (text: string) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${oidOf(text)}\nsize ${Buffer.byteLength(text)}\n`;

/** A repository whose `*.bin` are LFS files, as it lies with a person who has git-lfs, or with one who has only its pointers. */
async function lfsRepository({ contents = true }: { contents?: boolean } = {}): Promise<Fixture> {
  const files = {
    '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
    'a.bin': pointer(BYTES),
    'deep/b.bin': pointer('second'),
    'small.txt': pointer('not an LFS file by its attributes'),
  };
  const at = await fixture(files, { wanted: 'copy' });
  onTestFinished(() => at[Symbol.asyncDispose]());
  if (contents) for (const text of [BYTES, 'second']) await putInto(join(at.repository.path, '.git'), text);
  return at;
}

async function putInto(gitDir: string, text: string): Promise<void> {
  await writeFiles(gitDir, { [lfsObject('', oidOf(text))]: text });
}

const bring = (at: Fixture) => bringLfs({ store: at.store.path, repository: at.store.repository, commit: at.base });
const show = (at: Fixture, object: string) => plainGit(at.store.path, 'cat-file', 'blob', object);

test('a workspace has the contents that the person’s clone has, and its commits hold pointers', async () => {
  const at = await lfsRepository();
  await bring(at);
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  expect(await agent.read('a.bin')).toBe(BYTES);
  expect(await agent.read('deep/b.bin')).toBe('second');
  expect(await agent.read('small.txt')).toContain('version https://git-lfs');
  expect(await agent.git('status', '--porcelain')).toBe('');
  expect(await workspace.collect(TEXT)).toMatchObject({ changed: false, notes: [] });

  await agent.write({ 'a.bin': 'changed by hand', 'new.bin': 'new', 'empty.bin': '', 'plain.txt': 'plain' });
  const { head, notes } = await workspace.collect(TEXT);
  expect(notes).toEqual([]);
  expect(await show(at, `${head}:a.bin`)).toBe(pointer('changed by hand').trimEnd());
  expect(await show(at, `${head}:new.bin`)).toBe(pointer('new').trimEnd());
  expect(await show(at, `${head}:empty.bin`)).toBe('');
  expect(await show(at, `${head}:plain.txt`)).toBe('plain');
  expect(await readFile(lfsObject(at.store.path, oidOf('new')), 'utf8')).toBe('new');
});

test('an agent’s own commits hold pointers, and what they stand for is kept', async () => {
  const at = await lfsRepository();
  await bring(at);
  const { workspace } = await at.open();
  const agent = agentIn(workspace.folder);
  await agent.commit({ 'a.bin': 'first' }, 'First');
  await agent.commit({ 'a.bin': 'then' }, 'Then');
  const { head } = await workspace.collect(TEXT);
  expect(await show(at, `${head}:a.bin`)).toBe(pointer('then').trimEnd());
  expect(await show(at, `${head}^:a.bin`)).toBe(pointer('first').trimEnd());
  expect(await plainGit(at.store.path, 'rev-list', '--count', `${at.base}..${head}`)).toBe('2');
  for (const text of ['first', 'then']) expect(await hasLfsObject(at.store.path, oidOf(text))).toBe(true);
});

test('checkpoints, resets and litter keep contents and pointers apart', async () => {
  const at = await lfsRepository();
  await bring(at);
  const { workspace } = await at.open();
  await agentIn(workspace.folder).write({ 'a.bin': 'uncollected' });
  const checkpoint = await workspace.checkpoint();
  const again = await at.elsewhere({ checkpoint });
  expect(await agentIn(again.workspace.folder).read('a.bin')).toBe('uncollected');
  expect(await workspace.restore()).toEqual(['a.bin']);
  expect(await agentIn(workspace.folder).read('a.bin')).toBe(BYTES);
  await again.workspace.reset(at.base);
  expect(await agentIn(again.workspace.folder).read('a.bin')).toBe(BYTES);
});

test('what a delivered commit’s pointers stand for comes to the person’s clone, and nothing else', async () => {
  const at = await lfsRepository();
  await bring(at);
  const { workspace } = await at.open();
  await agentIn(workspace.folder).write({ 'a.bin': 'wanted' });
  const { head } = await workspace.collect(TEXT);
  await agentIn(workspace.folder).write({ 'a.bin': 'later' });
  await workspace.collect(TEXT);
  const to = join(at.repository.path, '.git');
  await bringLfsObjects({ from: at.store.path, to, commit: head });
  expect(await readFile(lfsObject(to, oidOf('wanted')), 'utf8')).toBe('wanted');
  expect(await hasLfsObject(to, oidOf('later'))).toBe(false);
});

test('a content that is not what its name says is not taken, and what is missing stays a pointer and is said', async () => {
  const at = await lfsRepository({ contents: false });
  await writeFiles(join(at.repository.path, '.git'), { [lfsObject('', oidOf(BYTES))]: 'something else' });
  expect(await bring(at)).toEqual([
    'LFS files of which only the pointers are here: a.bin, deep/b.bin, small.txt (no server of it is known). `git lfs pull` in your clone brings them.',
  ]);
  const { workspace } = await at.open();
  expect(await agentIn(workspace.folder).read('a.bin')).toBe(pointer(BYTES));
  await agentIn(workspace.folder).write({ 'other.txt': 'x' });
  const { head } = await workspace.collect(TEXT);
  expect(await show(at, `${head}:a.bin`)).toBe(pointer(BYTES).trimEnd());
});

test('a repository without LFS attributes is left alone', async () => {
  const at = await fixture({ 'a.bin': pointer(BYTES) }, { wanted: 'copy' });
  onTestFinished(() => at[Symbol.asyncDispose]());
  await putInto(join(at.repository.path, '.git'), BYTES);
  expect(await bring(at)).toEqual([]);
  expect(await readdir(join(at.store.path, 'lfs/objects'))).toEqual([]);
  const { workspace } = await at.open();
  expect(await agentIn(workspace.folder).read('a.bin')).toBe(pointer(BYTES));
});

/** An LFS server that knows these contents, and what it was asked. */
async function lfsServer(answer: (oid: string) => string | undefined): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => void handle(request, response));
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += chunk;
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`.trim());
    if (request.method === 'GET') {
      response.end(answer(request.url?.slice(3) ?? ''));
      return;
    }
    const { objects } = JSON.parse(body) as { objects: { oid: string; size: number }[] };
    const found = objects.map(({ oid }) =>
      answer(oid) === undefined
        ? { oid, error: { code: 404, message: 'not here' } }
        : { oid, actions: { download: { href: `${url}/o/${oid}` } } },
    );
    response.end(JSON.stringify({ objects: found }));
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return { url, asked };
}

test('what the clone lacks is asked of the person’s server, with the password of its address', async () => {
  const at = await lfsRepository({ contents: false });
  const known = new Map([[oidOf(BYTES), BYTES]]);
  const { url, asked } = await lfsServer((oid) => known.get(oid));
  await at.repository.git('config', 'lfs.url', url.replace('://', '://me:secret@'));
  expect(await bring(at)).toEqual([expect.stringMatching(/: deep\/b\.bin, small\.txt \(not here\)/)]);
  expect(asked[0]).toBe(`POST /objects/batch Basic ${Buffer.from('me:secret').toString('base64')}`);
  const { workspace } = await at.open();
  expect(await agentIn(workspace.folder).read('a.bin')).toBe(BYTES);
});

test('a server that gives something else, or too much, is not believed', async () => {
  for (const wrong of ['x'.repeat(BYTES.length), BYTES + BYTES, '']) {
    const at = await lfsRepository({ contents: false });
    const { url } = await lfsServer(() => wrong);
    await at.repository.git('config', 'lfs.url', url);
    expect(await bring(at)).toEqual([expect.stringContaining('a.bin')]);
    expect(await hasLfsObject(at.store.path, oidOf(BYTES))).toBe(false);
  }
});

test('the server is the person’s choice, else the commit’s over https, else the remote’s', () => {
  const none = { configured: undefined, committed: undefined, remote: undefined };
  const url = (asked: Partial<typeof none> | Record<string, string>) => lfsEndpoint({ ...none, ...asked })?.url;
  expect(url({ remote: 'https://example.org/team/app' })).toBe('https://example.org/team/app.git/info/lfs');
  expect(url({ remote: 'git@example.org:team/app.git' })).toBe('https://example.org/team/app.git/info/lfs');
  expect(url({ remote: 'ssh://git@example.org:22/team/app' })).toBe('https://example.org/team/app.git/info/lfs');
  expect(url({ committed: 'https://lfs.example.org/x/', remote: 'https://example.org/app' })).toBe(
    'https://lfs.example.org/x',
  );
  expect(url({ committed: 'http://127.0.0.1:80/x', remote: 'https://example.org/app' })).toBeUndefined();
  expect(url({ configured: 'http://127.0.0.1:80/x', committed: 'https://other' })).toBe('http://127.0.0.1/x');
  expect(url({ remote: '/srv/git/app' })).toBeUndefined();
  expect(url({})).toBeUndefined();
});

test('pointers are found whatever their file is called', async () => {
  await using repository = await tempRepository({
    'a\nb': pointer('x'),
    'c.txt': 'no pointer',
    'd.txt': `${pointer('y')}more\n`,
  });
  const found = await lfsPointersAt(join(repository.path, '.git'), 'HEAD');
  expect(found.map(({ oid, size, path }) => ({ oid, size, path }))).toContainEqual({
    oid: oidOf('x'),
    size: 1,
    path: 'a\nb',
  });
});
