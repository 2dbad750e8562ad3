import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { plainSandbox } from '../../testing/plain-sandbox.ts';
import { agentIn, dyingAt, exists, type Fixture, fixture, TEXT } from '../fixture.ts';
import type { Layout } from '../layout.ts';
import type { OpenRequest } from '../workspaces.ts';

const FILES = { 'a.txt': 'a\n', 'package-lock.json': '{}\n', '.gitignore': 'node_modules\n.env\n' };

/** As `npm ci` does, more or less: writes a file for the lockfile, and counts how often it ran. */
function installing(at: Fixture, command = 'mkdir -p node_modules/lib && cp package-lock.json node_modules/lib/lock') {
  const log = join(at.folder, '../ran');
  const text = `echo ran >>'${log.replaceAll("'", "'\\''")}'; ${command}`;
  const setup = {
    command: text,
    env: { PATH: process.env['PATH'] ?? '' },
    timeoutMs: 30_000,
    onOutput: () => undefined,
  };
  const layouts: Layout[] = [];
  const enclose: OpenRequest['enclose'] = (layout) => {
    layouts.push(layout);
    return Promise.resolve({ sandbox: plainSandbox(), setup, [Symbol.asyncDispose]: () => Promise.resolve() });
  };
  const ran = async () => (await readFile(log, 'utf8').catch(() => '')).split('\n').length - 1;
  return { setup, enclose, ran, layouts };
}

test('without a commit of a person, setup runs for each run', async () => {
  await using at = await fixture(FILES);
  const { setup, ran } = installing(at);
  for (const run of ['r1', 'r2']) await at.workspaces.open(at.request({ run, setup }));
  expect(await ran()).toBe(2);
});

// Where workspaces are copied file by file, as they mostly are for an ordinary user, nothing is made for all while somebody waits.
describe.skipIf(process.geteuid?.() !== 0)('where root lays workspaces over bases', () => {
  test('setup runs once for all runs with the same lockfiles, and says so', async () => {
    await using at = await fixture(FILES);
    const { setup, enclose, ran, layouts } = installing(at);
    const opened = await Promise.all(
      ['r1', 'r2', 'r3'].map((run) => at.workspaces.open(at.request({ run, setup, enclose }))),
    );
    expect(await ran()).toBe(1);
    for (const { workspace, notes } of opened) {
      expect(await agentIn(workspace.folder).read('node_modules/lib/lock')).toBe('{}\n');
      expect(notes).toEqual([expect.stringContaining('Setup was not run')]);
      expect(await agentIn(workspace.folder).git('status', '--porcelain')).toBe('');
      expect(await workspace.collect(TEXT)).toMatchObject({ changed: false, notes: [] });
    }
    expect(await exists(layouts[0]?.root ?? '')).toBe(false);
  });

  test('another lockfile, command or identity is set up anew', async () => {
    await using at = await fixture(FILES);
    const { setup, enclose, ran } = installing(at);
    await at.workspaces.open(at.request({ setup, enclose }));
    await at.repository.commit({ 'package-lock.json': '{"v": 2}\n' });
    const next = await at.store.fetchCommit('main');
    const { workspace } = await at.workspaces.open(at.request({ run: 'r2', head: next, base: next, setup, enclose }));
    expect(await agentIn(workspace.folder).read('node_modules/lib/lock')).toBe('{"v": 2}\n');
    expect(await ran()).toBe(2);
    const other = { ...setup, identity: 'image 2' };
    await at.workspaces.open(at.request({ run: 'r3', setup: other }));
    expect(await ran()).toBe(3);
  });

  test('a change of other files makes no difference, unless they are named as inputs', async () => {
    await using at = await fixture(FILES);
    const { setup, enclose, ran } = installing(at);
    await at.workspaces.open(at.request({ setup, enclose }));
    await at.repository.commit({ 'a.txt': 'A\n' });
    const next = await at.store.fetchCommit('main');
    await at.workspaces.open(at.request({ run: 'r2', head: next, base: next, setup, enclose }));
    expect(await ran()).toBe(1);
    const inputs = { ...setup, inputs: ['*.txt'] };
    await at.workspaces.open(at.request({ run: 'r3', setup: inputs }));
    await at.workspaces.open(at.request({ run: 'r4', head: next, base: next, setup: inputs }));
    expect(await ran()).toBe(3);
  });

  test('nothing that a run wrote gets into what others use', async () => {
    await using at = await fixture(FILES);
    const { setup, enclose, ran } = installing(at, 'mkdir -p node_modules && cat a.tx? >node_modules/made');
    const first = await at.workspaces.open(at.request({ setup }));
    await agentIn(first.workspace.folder).write({ 'a.txt': 'evil\n', 'node_modules/made': 'evil\n', '.env': 'evil\n' });
    const { head } = await first.workspace.collect(TEXT);
    // The run goes on at its own commit, on a machine where it has no workspace: its lockfiles are those of its base.
    const own = await at.workspaces.open(at.request({ run: 'r2', head, setup, enclose }));
    expect(await agentIn(own.workspace.folder).read('a.txt')).toBe('evil\n');
    expect(await agentIn(own.workspace.folder).read('node_modules/made')).toBe('a\n');
    await agentIn(own.workspace.folder).write({ 'node_modules/made': 'evil\n' });
    const other = await at.workspaces.open(at.request({ run: 'r3', setup, enclose }));
    expect(await agentIn(other.workspace.folder).read('node_modules/made')).toBe('a\n');
    expect(await exists(join(other.workspace.folder, '.env'))).toBe(false);
    expect(await ran()).toBe(2);
  });

  test('a run that changed its lockfile sets up for itself alone', async () => {
    await using at = await fixture(FILES);
    const { setup, enclose, ran } = installing(at);
    const { workspace } = await at.workspaces.open(at.request({ setup }));
    await agentIn(workspace.folder).write({ 'package-lock.json': 'evil\n' });
    const { head } = await workspace.collect(TEXT);
    const own = await at.workspaces.open(at.request({ run: 'r2', head, setup, enclose }));
    expect(await agentIn(own.workspace.folder).read('node_modules/lib/lock')).toBe('evil\n');
    expect(own.notes).toEqual([]);
    expect((await at.workspaces.listBases()).filter(({ kind }) => kind === 'dependencies')).toEqual([]);
    expect(await ran()).toBe(2);
  });

  test.each<[string, string, string]>([
    [
      'changes committed files',
      'echo x >>a.txt; mkdir node_modules',
      'Setup changes files that are committed, such as a.txt',
    ],
    [
      'leaves files that are not ignored',
      'echo x >left',
      'Setup leaves files that the repository does not ignore, such as left',
    ],
    [
      'writes down where it ran',
      'mkdir node_modules; pwd >node_modules/here',
      'Setup wrote down in which folder it ran',
    ],
    [
      'makes links to where it ran',
      'mkdir node_modules; ln -s "$PWD/a.txt" node_modules/link',
      'Setup wrote down in which folder it ran',
    ],
  ])('what it makes is not shared when setup %s', async (_, command, why) => {
    await using at = await fixture(FILES);
    const { setup, enclose, ran } = installing(at, command);
    for (const run of ['r1', 'r2']) {
      const { notes } = await at.workspaces.open(at.request({ run, setup, enclose }));
      expect(notes[0]).toMatch(why);
      expect(notes[0]).toMatch('setup runs for this run alone');
    }
    expect(await ran()).toBe(3); // once to find out
    expect(await readdir(join(at.bases, at.store.id))).toEqual([`source-${at.base}`]);
  });

  test('a setup that fails is tried for all once, then for each run', async () => {
    await using at = await fixture(FILES);
    const { setup, enclose, ran } = installing(at, 'false');
    for (const run of ['r1', 'r2']) {
      await expect(at.workspaces.open(at.request({ run, setup, enclose }))).rejects.toMatchObject({
        code: 'workspace/setup-failed',
      });
    }
    expect(await ran()).toBe(3);
  });

  test('what setup leaves in HOME is in the HOME of each run, and theirs alone', async () => {
    await using at = await fixture(FILES);
    const { setup, enclose: plain } = installing(at);
    const enclose: OpenRequest['enclose'] = async (layout) => {
      const enclosed = await plain(layout);
      const command = `${setup.command}; echo cached >'${layout.home.replaceAll("'", "'\\''")}/cache'`;
      return { ...enclosed, setup: { ...setup, command } };
    };
    await at.workspaces.open(at.request({ setup, enclose }));
    const home = at.workspaces.layoutOf('r1').home;
    expect(await readFile(join(home, 'cache'), 'utf8')).toBe('cached\n');
    await agentIn(home).write({ cache: 'changed\n' });
    await at.workspaces.open(at.request({ run: 'r2', setup, enclose }));
    expect(await readFile(join(at.workspaces.layoutOf('r2').home, 'cache'), 'utf8')).toBe('cached\n');
  });

  test.each(['setup.before', 'setup.after'])(
    'a death at %s leaves no base, and the next one makes it',
    async (point) => {
      await using at = await fixture(FILES);
      const { setup, enclose, ran } = installing(at);
      const dying = at.another({ crashPoint: dyingAt(point) });
      await expect(dying.open(at.request({ setup, enclose }))).rejects.toThrow('killed');
      expect((await at.workspaces.listBases()).filter(({ kind }) => kind === 'dependencies')).toEqual([]);
      const before = await ran();
      const { workspace } = await at.workspaces.open(at.request({ setup, enclose }));
      expect(await agentIn(workspace.folder).read('node_modules/lib/lock')).toBe('{}\n');
      expect(await ran()).toBe(before + 1);
    },
  );

  test('warming makes it before anybody asks', async () => {
    await using at = await fixture(FILES);
    const { setup, enclose, ran } = installing(at);
    const signal = new AbortController().signal;
    await at.workspaces.warm({ store: at.store, commit: at.base, setup: enclose, signal });
    expect((await at.workspaces.listBases()).map(({ kind }) => kind).sort()).toEqual(['dependencies', 'source']);
    const { notes } = await at.workspaces.open(at.request({ setup, enclose }));
    expect(notes).toEqual([expect.stringContaining('Setup was not run')]);
    await at.workspaces.warm({ store: at.store, commit: at.base, setup: enclose, signal });
    expect(await ran()).toBe(1);
  });
});
