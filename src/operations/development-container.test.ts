import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MachineConfig } from '../config/machine.ts';
import type { ContainerImages, ImageBuild } from '../ports/sandbox/container-images.ts';
import { tempFolder, tempRepository } from '../testing/temp-repository.ts';
import { openGitStore } from '../workspaces/git-store.ts';
import { developmentContainer } from './development-container.ts';

const RECIPE =
  '{ "image": "node:24", "postCreateCommand": "npm ci", "remoteUser": "node", "containerEnv": { "A": "1", "OPENAI_BASE_URL": "http://x" } } // ours';
const BUILT = {
  '.devcontainer/devcontainer.json':
    '{ "build": { "dockerfile": "Dockerfile", "context": "..", "args": { "A": "2" } } }',
  '.devcontainer/Dockerfile': 'FROM ours:1\nCOPY tools /tools\n',
  'tools/one': 'one\n',
};

test('in a container, setup comes from .devcontainer; where the machine’s owner allows nothing its image is the machine’s, and that is said', async () => {
  const { found, asked } = await inContainer({ image: 'ours:1' });
  expect(found).toMatchObject({ container: undefined, setup: '(\nnpm ci\n) || exit' });
  expect(found.notes).toContain(
    '.devcontainer asks for node:24. In force is ours:1, which config.yaml names; `container: { devcontainer: { images: ["node:24"] } }` there would allow it.',
  );
  expect(found.notes).toContain('.devcontainer: variables are not in force: A, OPENAI_BASE_URL.');
  expect(asked).toEqual([]);
});

test('an image that the owner allows is what programs run in, with those of its variables that do no harm', async () => {
  const { found, asked } = await inContainer({ image: 'ours:1', devcontainer: { images: ['node:*'] } });
  expect(found.container).toEqual({ name: 'node:24', image: 'sha256:node:24', variables: { A: '1' } });
  expect(found.notes).toEqual([
    '.devcontainer: programs run in node:24, as config.yaml allows.',
    expect.stringContaining('OPENAI_BASE_URL is not set'),
    expect.stringContaining('remoteUser node counts by number only'),
  ]);
  expect(asked).toEqual(['node:24, pulled']);
});

test('another image than those that the owner allows is not', async () => {
  const { found, asked } = await inContainer({ devcontainer: { images: ['xnode:*', 'node', 'node:24.*'] } });
  expect(found.container).toBeUndefined();
  expect(found.notes[0]).toContain('No image is in force');
  expect(asked).toEqual([]);
});

test('the machine’s own image is in force without leave, and is never pulled', async () => {
  const { found, asked } = await inContainer({ image: 'node:24' });
  expect(found.container).toMatchObject({ name: 'node:24', variables: { A: '1' } });
  expect(asked).toEqual(['node:24, not pulled']);
});

test('an image that is allowed and cannot be had keeps the run from beginning', async () => {
  const missing = inContainer({ image: 'ours:1', devcontainer: { images: ['*'] } }, { has: [] });
  await expect(missing).rejects.toMatchObject({
    code: 'devcontainer/no-image',
    message: expect.stringContaining('wants node:24, which cannot be had: nobody has it') as string,
  });
});

test('a Dockerfile is built only where the owner allows it, and only of images that he allows', async () => {
  const never = await inContainer({ image: 'ours:1', devcontainer: { images: ['*'] } }, { files: BUILT });
  expect(never.found.container).toBeUndefined();
  expect(never.found.notes[0]).toContain("building runs a repository's commands outside of the walls");
  expect(never.asked).toEqual([]);
  const foreign = inContainer({ devcontainer: { images: ['theirs:*'], build: 'offline' } }, { files: BUILT });
  await expect(foreign).rejects.toMatchObject({
    code: 'devcontainer/refused',
    message: expect.stringContaining('it takes ours:1, which is not among') as string,
  });
});

test('what is built is the Dockerfile of the commit with its context, and the key is of these alone', async () => {
  const config = { devcontainer: { images: ['ours:*'], build: 'offline' } };
  const { found, builds, context } = await inContainer(config, { files: BUILT });
  expect(found.container).toMatchObject({ image: `sha256:${builds[0]?.key}` });
  expect(builds[0]).toMatchObject({ bases: ['sha256:ours:1'], args: { A: '2' }, isOnline: false, target: undefined });
  expect(context).toEqual({ files: ['.devcontainer', 'tools'], one: 'one\n' });
  const key = async (files: Record<string, string>, build = 'offline') => {
    const more = await inContainer({ devcontainer: { images: ['ours:*'], build } }, { files: { ...BUILT, ...files } });
    return more.builds[0]?.key;
  };
  const same = builds[0]?.key;
  expect(await key({})).toBe(same);
  expect(await key({ 'tools/one': 'two\n' })).not.toBe(same);
  expect(await key({}, 'online')).not.toBe(same);
});

test('a Dockerfile that reaches beyond its build is refused', async () => {
  const files = { ...BUILT, '.devcontainer/Dockerfile': 'FROM ours:1\nRUN --mount=type=bind,from=ours:1 cat /x\n' };
  const config = { devcontainer: { images: ['*'], build: 'online' } };
  await expect(inContainer(config, { files })).rejects.toMatchObject({ code: 'devcontainer/refused' });
});

test('at other levels it is not looked at', async () => {
  await using place = await prepare({ '.devcontainer/devcontainer.json': RECIPE });
  const { images, asked } = fakeImages(['node:24']);
  const machine = MachineConfig.parse({ container: { devcontainer: { images: ['*'] } } });
  expect(await developmentContainer('bubblewrap', { ...place, machine, images, user: 0 })).toEqual({
    container: undefined,
    setup: undefined,
    notes: [],
  });
  expect(asked).toEqual([]);
});

interface Given {
  readonly files?: Readonly<Record<string, string>>;
  /** Images that the engine can have. */
  readonly has?: readonly string[];
}

async function inContainer(
  container: object,
  { files = { '.devcontainer/devcontainer.json': RECIPE }, has = ['node:24', 'ours:1'] }: Given = {},
) {
  await using place = await prepare(files);
  const { images, asked, builds } = fakeImages(has);
  const machine = MachineConfig.parse({ container });
  const found = await developmentContainer('container', { ...place, machine, images, user: 1000 });
  return { found, asked, builds, context: await contextOf(builds[0]) };
}

async function contextOf(build: ImageBuild | undefined) {
  if (build === undefined) return undefined;
  await using folder = await tempFolder();
  await build.writeContext(folder.path);
  return {
    files: (await readdir(folder.path)).toSorted(),
    one: await readFile(join(folder.path, 'tools/one'), 'utf8'),
  };
}

/** An engine that has some images, or can pull them. */
function fakeImages(has: readonly string[]) {
  const asked: string[] = [];
  const builds: ImageBuild[] = [];
  const images: ContainerImages = {
    async find(name, { pull }) {
      asked.push(`${name}, ${pull ? 'pulled' : 'not pulled'}`);
      if (!has.includes(name)) return { kind: 'missing', why: 'nobody has it' };
      return { kind: 'found', name, id: `sha256:${name}` };
    },
    async build(order) {
      builds.push(order);
      return { kind: 'found', name: order.key, id: `sha256:${order.key}` };
    },
  };
  return { images, asked, builds };
}

async function prepare(files: Readonly<Record<string, string>>) {
  const repository = await tempRepository(files);
  const home = await tempFolder();
  const store = await openGitStore({ folder: home.path, repositoryPath: repository.path });
  return {
    store,
    commit: await store.fetchCommit('main'),
    async [Symbol.asyncDispose]() {
      await repository[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}
