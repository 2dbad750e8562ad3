import { expect, test } from 'vitest';
import { tempFolder, tempRepository } from '../testing/temp-repository.ts';
import { openGitStore } from '../workspaces/git-store.ts';
import { developmentContainer } from './development-container.ts';

const RECIPE = '{ "image": "node:24", "postCreateCommand": "npm ci", "containerEnv": { "A": "1" } } // ours';

test('in a container, setup comes from .devcontainer; its image is the machine’s to choose, and that is said', async () => {
  const found = await inContainer('ours:1');
  expect(found.setup).toBe('(\nnpm ci\n) || exit');
  expect(found.notes).toContain('.devcontainer asks for node:24; in force is ours:1, which config.yaml names.');
  expect((await inContainer('node:24')).notes.join()).not.toContain('asks for');
});

test('at other levels it is not looked at', async () => {
  await using place = await prepare();
  expect(await developmentContainer({ level: 'bubblewrap' }, { ...place, image: undefined })).toEqual({
    setup: undefined,
    notes: [],
  });
});

async function inContainer(image: string) {
  await using place = await prepare();
  return developmentContainer({ level: 'container' }, { ...place, image });
}

async function prepare() {
  const repository = await tempRepository({ '.devcontainer/devcontainer.json': RECIPE });
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
