import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { waitUntil } from '../lib/wait-until.ts';
import type { Workspace } from '../ports/workspace.ts';
import { agentIn, fixture, TEXT } from './fixture.ts';

/** What git need not look at: a workspace in which nothing was written since it last looked. Only overlays can tell. */
const FILES = { 'a.txt': 'a\n', 'deep/b.txt': 'b\n', '.gitignore': 'cache\n' };

/** A workspace with a collected change, at which git has had a look that it need not have again. */
async function looked() {
  const f = await fixture(FILES);
  const { workspace } = await f.workspaces.open(f.request());
  await agentIn(workspace.folder).write({ 'c.txt': 'c\n' });
  const { head } = await workspace.collect(TEXT);
  const reopen = async () => (await f.workspaces.open(f.request({ head, reuse: true, step: 'check' }))).workspace;
  const gits = async (work: () => Promise<unknown>): Promise<number> => {
    const before = f.sandbox.started.length;
    await work();
    return f.sandbox.started.length - before;
  };
  // What was written just now is looked at once more.
  const isKnown = await waitUntil(async () => (await gits(() => workspace.restore())) === 0, {
    timeoutMs: 5_000,
  }).then(
    () => true,
    () => false,
  );
  return { f, workspace, head, reopen, gits, isKnown };
}

const onlyOverlays = 'no overlays can be mounted here';

test('nothing is started to throw away what a step has left where it has left nothing, in a later step neither', async ({
  skip,
}) => {
  const { f, workspace, head, reopen, gits, isKnown } = await looked();
  await using _ = f;
  if (!isKnown) return skip(onlyOverlays);
  expect(await gits(() => workspace.restore())).toBe(0);
  const next = await reopen();
  expect(await gits(async () => expect(await next.restore()).toEqual([]))).toBe(0);
  expect(await gits(async () => expect(await next.collect(TEXT)).toEqual({ head, changed: false, notes: [] }))).toBe(0);
});

test.for([
  ['a new file', (at) => writeFile(join(at, 'new'), ''), 'new'],
  ['a folder that is gone', (at) => rm(join(at, 'deep'), { recursive: true }), 'deep/b.txt'],
  ['another content of the same size', (at) => writeFile(join(at, 'c.txt'), 'C\n'), 'c.txt'],
  ['a change of what was never written', (at) => writeFile(join(at, 'a.txt'), 'A\n'), 'a.txt'],
] satisfies [string, (at: string) => Promise<unknown>, string][])(
  'what a step has left is thrown away: %s',
  async ([, change, path]) => {
    const { f, reopen } = await looked();
    await using _ = f;
    const next = await reopen();
    await change(next.folder);
    expect(await next.restore()).toEqual([path]);
    await wholeAgain(next);
  },
);

test('ignored files stay, and are looked at once', async ({ skip }) => {
  const { f, reopen, gits, isKnown } = await looked();
  await using _ = f;
  if (!isKnown) return skip(onlyOverlays);
  const next = await reopen();
  await mkdir(join(next.folder, 'cache'));
  await writeFile(join(next.folder, 'cache/one'), 'kept');
  expect(await gits(() => next.restore())).toBe(1);
  await waitUntil(async () => (await gits(() => next.restore())) === 0, { timeoutMs: 5_000 });
  expect(await readFile(join(next.folder, 'cache/one'), 'utf8')).toBe('kept');
});

test('after a restore that threw something away git looks again', async () => {
  const { f, reopen, gits } = await looked();
  await using _ = f;
  const next = await reopen();
  await writeFile(join(next.folder, 'new'), '');
  await next.restore();
  expect(await gits(() => next.restore())).toBe(1);
});

test('what a person has changed between two steps is found', async () => {
  const { f, workspace, reopen } = await looked();
  await using _ = f;
  await writeFile(join(workspace.folder, 'by-hand'), 'ada');
  const next = await reopen();
  expect((await next.collect(TEXT)).changed).toBe(true);
  expect(await readFile(join(next.folder, 'by-hand'), 'utf8')).toBe('ada');
});

test('a workspace that another process may have had is looked at', async () => {
  const { f, head, gits } = await looked();
  await using _ = f;
  const { workspace } = await f.another().open(f.request({ head, reuse: true, step: 'check' }));
  expect(await gits(() => workspace.restore())).toBe(1);
});

async function wholeAgain({ folder }: Workspace): Promise<void> {
  expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('a\n');
  expect(await readFile(join(folder, 'deep/b.txt'), 'utf8')).toBe('b\n');
  expect(await readFile(join(folder, 'c.txt'), 'utf8')).toBe('c\n');
}
