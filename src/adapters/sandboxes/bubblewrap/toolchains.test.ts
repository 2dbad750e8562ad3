import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { Bounds } from './forbidden.ts';
import { aroundProgram, toolchains } from './toolchains.ts';

/** A HOME with these files (a link where a name is given), and what is shown of it, relative to it. */
async function home(files: Readonly<Record<string, string | undefined>>) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'switchyard-home-')));
  for (const [name, target] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await (target === undefined
      ? writeFile(join(folder, name), '#!/bin/sh\n', { mode: 0o755 })
      : symlink(target, join(folder, name)));
  }
  const bounds = (never: readonly string[] = []): Bounds => ({
    home: folder,
    never: never.map((name) => join(folder, name)),
  });
  const short = (parts: Awaited<ReturnType<typeof toolchains>>) =>
    parts.map((part) => `${part.kind} ${part.inside.slice(folder.length + 1)}`);
  return {
    ofPath: async (path: string, never?: readonly string[]) => {
      const folders = path.split(':').map((name) => (name.startsWith('/') ? name : join(folder, name)));
      return short(await toolchains(folders.join(':'), bounds(never)));
    },
    ofProgram: async (name: string, never?: readonly string[]) =>
      short(await aroundProgram(join(folder, name), bounds(never))),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

test('the installation that a bin folder belongs to is shown', async () => {
  await using host = await home({ '.nvm/v24/bin/node': undefined, '.nvm/v24/lib/x': undefined });
  expect(await host.ofPath('.nvm/v24/bin')).toEqual(['show .nvm/v24']);
});

test('the system’s folders and those that are not there are left out', async () => {
  await using host = await home({});
  expect(await host.ofPath('/usr/bin:/bin:absent/bin')).toEqual([]);
});

test('of a HOME, of ~/.local and of a project only the bin folder is shown', async () => {
  await using host = await home({
    'bin/tool': undefined,
    'lib/x': undefined,
    '.local/bin/tool': undefined,
    '.local/share/x': undefined,
    'project/bin/tool': undefined,
    'project/lib/x': undefined,
    'project/.git/config': undefined,
    'other/bin/tool': undefined,
  });
  expect(await host.ofPath('bin:.local/bin:project/bin:other/bin')).toEqual([
    'show bin',
    'show .local/bin',
    'show project/bin',
    'show other/bin',
  ]);
});

test('an installation that is a clone in a dot folder of HOME is shown', async () => {
  await using host = await home({
    '.pyenv/shims/python3': undefined,
    '.pyenv/libexec/x': undefined,
    '.pyenv/.git/config': undefined,
  });
  expect(await host.ofPath('.pyenv/shims')).toEqual(['show .pyenv']);
});

test('nothing that holds keys, or the harness’s own files, is shown', async () => {
  await using host = await home({
    '.cargo/bin/cargo': undefined,
    '.cargo/lib/x': undefined,
    'state/bin/tool': undefined,
    'state/lib/x': undefined,
    '.ssh/bin/tool': undefined,
  });
  expect(await host.ofPath('.cargo/bin')).toEqual(['show .cargo/bin']);
  expect(await host.ofPath('.ssh/bin')).toEqual([]);
  expect(await host.ofPath('state/bin')).toEqual(['show state']);
  expect(await host.ofPath('state/bin', ['state/home'])).toEqual(['show state/bin']);
  expect(await host.ofPath('state/bin', ['state'])).toEqual([]);
});

test('a program is shown with the package that it lies in, and the links that lead there', async () => {
  await using host = await home({
    'app/node_modules/agent/bin/agent.js': undefined,
    'app/node_modules/.bin/agent': '../agent/bin/agent.js',
    'bin/agent': '../app/node_modules/.bin/agent',
  });
  expect(await host.ofProgram('bin/agent')).toEqual([
    'show app/node_modules',
    'link bin/agent',
    'link app/node_modules/.bin/agent',
  ]);
});

test('a program of a versions folder is shown with its version, another one alone', async () => {
  await using host = await home({
    '.local/share/agent/versions/1.2/agent': undefined,
    '.local/bin/agent': '../share/agent/versions/1.2/agent',
    'tools/alone': undefined,
    '.ssh/tool': undefined,
  });
  expect(await host.ofProgram('.local/bin/agent')).toEqual([
    'show .local/share/agent/versions/1.2',
    'link .local/bin/agent',
  ]);
  expect(await host.ofProgram('tools/alone')).toEqual(['show tools/alone']);
  expect(await host.ofProgram('.ssh/tool')).toEqual([]);
});
