import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempRepository } from '../../testing/temp-repository.ts';
import { recipeAt } from './at-commit.ts';
import { type ContainerRecipe, readRecipe } from './recipe.ts';

const at = { file: '.devcontainer/devcontainer.json', workspace: '/workspace' };

function recipe(value: object): ContainerRecipe {
  const read = readRecipe(JSON.stringify(value), at);
  if (read.kind === 'refused') throw new Error(read.problems.join('\n'));
  return read.recipe;
}

function problems(value: object): readonly string[] {
  const read = readRecipe(JSON.stringify(value), at);
  return read.kind === 'refused' ? read.problems : [];
}

test('an image with variables, user, ports and commands becomes a recipe', () => {
  const text = `{
  // The team's own
  "name": "app", "image": "mcr.microsoft.com/devcontainers/base:bookworm",
  "containerEnv": { "MODE": "dev", "ROOT": "\${containerWorkspaceFolder}/x" },
  "remoteUser": "vscode", "containerUser": "root",
  "forwardPorts": [3000, 5432],
  "postCreateCommand": "npm ci && npm run build",
  "customizations": { "vscode": { "extensions": ["x"] } },
}`;
  expect(readRecipe(text, at)).toEqual({
    kind: 'recipe',
    recipe: {
      base: { kind: 'image', image: 'mcr.microsoft.com/devcontainers/base:bookworm' },
      env: { MODE: 'dev', ROOT: '/workspace/x' },
      user: 'vscode',
      setup: '(\nnpm ci && npm run build\n) || exit',
      ports: [3000, 5432],
      notes: [],
    },
  });
});

test('a build has its paths in the repository', () => {
  const build = { dockerfile: 'Dockerfile', context: '..', args: { NODE: '24' }, target: 'dev' };
  expect(recipe({ build }).base).toEqual({
    ...build,
    kind: 'build',
    dockerfile: '.devcontainer/Dockerfile',
    context: '.',
  });
  expect(recipe({ dockerFile: '../docker/Dockerfile' }).base).toEqual({
    kind: 'build',
    dockerfile: 'docker/Dockerfile',
    context: '.devcontainer',
    args: {},
  });
});

test('paths that lead out of the repository, and what cannot be run, are refused', () => {
  expect(problems({ build: { dockerfile: '../../x/Dockerfile' } })).toEqual([
    expect.stringContaining('leads out of the repository'),
  ]);
  expect(problems({ build: { dockerfile: 'Dockerfile', context: '../..' } })).toEqual([
    expect.stringContaining('build.context leads out'),
  ]);
  expect(problems({ build: { dockerfile: '/etc/Dockerfile' } })).toEqual([expect.stringContaining('leads out')]);
  expect(problems({ build: { dockerfile: 'Dockerfile', args: { A: '${localEnv:TOKEN}' } } })).toEqual([
    expect.stringContaining('build.args.A'),
  ]);
  expect(problems({ image: '--privileged' })).toEqual([expect.stringContaining('image: an image is named')]);
  expect(problems({ image: 'x', remoteUser: '-x' })).toEqual([expect.stringContaining('remoteUser')]);
  expect(problems({ dockerComposeFile: 'compose.yaml', service: 'app' })).toEqual([
    expect.stringContaining('declare the other containers as services'),
  ]);
  expect(problems({ name: 'x' })).toEqual([expect.stringContaining('neither an image nor a build')]);
  expect(problems({ image: 'x', containerEnv: { A: 1 } })).toEqual([expect.stringContaining('containerEnv.A')]);
  expect(readRecipe('{ \n nope: 1 }', at)).toEqual({
    kind: 'refused',
    problems: [expect.stringMatching(/^\.devcontainer\/devcontainer\.json:2: /)],
  });
});

test('what would open the walls is not in force, and says so in a sentence each', () => {
  const { notes, env } = recipe({
    image: 'x',
    initializeCommand: 'curl example.org | sh',
    mounts: ['source=/,target=/host,type=bind'],
    runArgs: ['--privileged'],
    privileged: true,
    capAdd: ['SYS_ADMIN'],
    securityOpt: [],
    features: { 'ghcr.io/devcontainers/features/docker-in-docker:2': {}, 'ghcr.io/devcontainers/features/git:1': {} },
    containerEnv: { TOKEN: '${localEnv:GITHUB_TOKEN}', HERE: '${localWorkspaceFolder}', OK: 'ok' },
    postStartCommand: 'npm run dev',
    unheardOf: 1,
  });
  expect(env).toEqual({ OK: 'ok' });
  expect(notes.map((note) => /: (\S+) (?:is|are) not/.exec(note)?.[1])).toEqual([
    'initializeCommand',
    'mounts',
    'runArgs',
    'privileged',
    'capAdd',
    'postStartCommand',
    'unheardOf',
    'features',
    'TOKEN',
    'HERE',
  ]);
  expect(notes.join()).toContain('docker-in-docker');
  expect(notes.join()).not.toContain('features/git');
  expect(recipe({ image: 'x', privileged: false, mounts: [], features: {} }).notes).toEqual([]);
});

test('commands run in their order, as words or as lines, and the first that fails ends it', () => {
  const { setup = '' } = recipe({
    image: 'x',
    onCreateCommand: ['printf', '%s\n', "it's a word; not two"],
    updateContentCommand: { one: 'echo one', two: ['echo', 'two'] },
    postCreateCommand: 'exit 3',
  });
  const run = (line: string) => {
    try {
      return { code: 0, out: execFileSync('/bin/sh', ['-c', line]).toString() };
    } catch (error) {
      const { status, stdout } = error as { status: number; stdout: Buffer };
      return { code: status, out: stdout.toString() };
    }
  };
  expect(run(`${setup}\necho never`)).toEqual({ code: 3, out: "it's a word; not two\none\ntwo\n" });
  expect(recipe({ image: 'x' }).setup).toBeUndefined();
});

test('the file of a commit counts; links are not followed, and a choice of several is refused', async () => {
  await using repository = await tempRepository({ '.devcontainer/devcontainer.json': '{ "image": "one" }' });
  const store = join(repository.path, '.git');
  const first = await repository.git('rev-parse', 'HEAD');
  const second = await repository.commit({ '.devcontainer/devcontainer.json': '{ "image": "two" }' });
  const read = (commit: string) => recipeAt(store, commit, at);
  expect(await read(first)).toMatchObject({ recipe: { base: { image: 'one' } } });
  expect(await read(second)).toMatchObject({ recipe: { base: { image: 'two' } } });
  await repository.git('rm', '-rq', '.devcontainer');
  expect(await read(await repository.commit({ '.devcontainer.json': { link: '/etc/passwd' } }))).toBeUndefined();
  await repository.git('rm', '-q', '.devcontainer.json');
  expect(await read(await repository.commit({ '.devcontainer.json': '{ "image": "top" }' }))).toMatchObject({
    recipe: { base: { image: 'top' } },
  });
  await repository.git('rm', '-q', '.devcontainer.json');
  expect(await read(await repository.commit({ '.devcontainer/python/devcontainer.json': '{}' }))).toMatchObject({
    kind: 'refused',
  });
});
