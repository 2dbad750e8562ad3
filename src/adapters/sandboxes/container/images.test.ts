import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { whichOn } from '../../../lib/exec/which.ts';
import type { FoundImage, ImageBuild } from '../../../ports/sandbox/container-images.ts';
import type { Enclosure } from '../../../ports/sandbox.ts';
import { processesWith, uniqueSleep, untilProcessesWith } from '../../../testing/marked-processes.ts';
import { run, script } from '../../../testing/sandbox-contract/program.ts';
import { makeTestImage } from './fixture/image.ts';
import { containerImages, probeContainerWalls } from './index.ts';

const which = whichOn(process.env['PATH']);
const base = await makeTestImage();
const folder = await mkdtemp(join(tmpdir(), 'switchyard-images-'));
const parts = {
  which,
  env: { PATH: process.env['PATH'], ...(typeof base === 'string' ? {} : base.env) },
  engine: 'podman' as const,
  folder: join(folder, 'scratch'),
  home: 'test',
};
const images = containerImages(parts);
const nothing: Enclosure = { mounts: [], network: { kind: 'none' }, limits: {}, counted: [] };

afterAll(async () => {
  if (typeof base !== 'string') await base[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test('where no engine is installed nothing is found, which is said', async () => {
  const none = containerImages({ which: whichOn(''), env: {}, folder, home: 'test' });
  const missing = { kind: 'missing', why: 'neither podman nor docker is installed' };
  expect(await none.find('x', { pull: true })).toEqual(missing);
  expect(await none.build(order({ key: 'k', dockerfile: 'FROM x' }), {})).toEqual(missing);
});

test('there is an engine with an image', (context) => {
  if (typeof base === 'string') context.skip(base);
  expect(base).toMatchObject({ name: 'switchyard-test' });
});

describe.skipIf(typeof base === 'string')('images of podman', () => {
  if (typeof base === 'string') return;
  const { name } = base;

  test('one that is there is found by its name, one that is nowhere is not, whether it may be pulled or not', async () => {
    const found = await images.find(name, { pull: false });
    expect(found).toEqual({ kind: 'found', name, id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string });
    const why = (result: FoundImage) => (result.kind === 'missing' ? result.why : '');
    expect(why(await images.find('localhost/no-such:1', { pull: false }))).toBe('podman has none of that name');
    // Nobody listens there.
    expect(why(await images.find('127.0.0.1:9/no-such:1', { pull: true }))).toContain('podman cannot pull it');
  });

  test('one is built of a Dockerfile and files, once for each key, and programs run in it with its variables', {
    timeout: 120_000,
  }, async () => {
    const contexts: string[] = [];
    const dockerfile = `FROM ${name}\nARG WORD\nENV SAID=$WORD PATH=/own:/usr/bin\nCOPY file /own/tool\nRUN chmod 755 /own/tool\nVOLUME /data\n`;
    const made = order({
      key: 'aaaa',
      dockerfile,
      args: { WORD: 'hello' },
      bases: await idOf(name),
      async writeContext(context) {
        contexts.push(context);
        await writeFile(join(context, 'file'), '#!/bin/sh\necho "$SAID, $OTHER"; echo x >/data/x\n');
      },
    });
    const [first, second] = await Promise.all([images.build(made, {}), images.build(made, {})]);
    expect(first).toMatchObject({ kind: 'found', name: 'localhost/switchyard-devcontainer:aaaa' });
    expect(second).toEqual(first);
    expect(contexts).toHaveLength(1);
    expect(await readdir(parts.folder)).toEqual([]);
    if (first.kind !== 'found') return;
    const walls = await probeContainerWalls({
      ...parts,
      image: first.id,
      imageName: first.name,
      variables: { OTHER: 'from the recipe' },
    });
    if ('missing' in walls) throw new Error(walls.missing);
    expect(walls.mechanism).toContain(`image localhost/switchyard-devcontainer:aaaa ${first.id.slice(7, 19)}`);
    const said = await run(walls.enclose(nothing), { argv: ['tool'], cwd: '/', env: { PATH: '/bin' } });
    expect(said.stdout).toBe('hello, from the recipe\n');
    // What an image calls a volume is no place to write to.
    expect(said.stderr).toMatch(/\/data\/x/);
    const own = await run(walls.enclose(nothing), script('echo $SAID $PATH', { env: { SAID: 'mine', PATH: '/bin' } }));
    expect(own.stdout).toBe('mine /own:/usr/bin:/bin\n');
  });

  test('a build without leave has no network, and none has this process’s variables or folders', {
    timeout: 60_000,
  }, async () => {
    const dockerfile = `FROM ${name}\nRUN cat /proc/net/dev >/net && env >/env && cat /proc/self/status >/status\n`;
    const built = await images.build(order({ key: 'bbbb', dockerfile, bases: await idOf(name) }), {});
    if (built.kind !== 'found') throw new Error(built.why);
    const walls = await probeContainerWalls({ ...parts, image: built.id });
    if ('missing' in walls) throw new Error(walls.missing);
    const { stdout } = await run(walls.enclose(nothing), script('cat /net /env'));
    expect(stdout.match(/^\s*\w+:/gm)?.map((line) => line.trim())).toEqual(['lo:']);
    expect(stdout).not.toMatch(/CONTAINERS_STORAGE_CONF|proxy/i);
  });

  test('one that cannot be built says why, in the engine’s words', { timeout: 60_000 }, async () => {
    const dockerfile = `FROM ${name}\nRUN echo made it >&2; exit 3\n`;
    const failed = await images.build(order({ key: 'cccc', dockerfile, bases: await idOf(name) }), {});
    expect(failed).toMatchObject({
      kind: 'missing',
      why: expect.stringMatching(/^podman cannot build it:[^]*made it/) as string,
    });
    expect(await images.find('localhost/switchyard-devcontainer:cccc', { pull: false })).toMatchObject({
      kind: 'missing',
    });
  });

  test('a build that is stopped leaves no process', { timeout: 60_000 }, async () => {
    const sleep = uniqueSleep();
    const stopping = new AbortController();
    const dockerfile = `FROM ${name}\nRUN sleep ${sleep}\n`;
    const building = images.build(order({ key: 'dddd', dockerfile, bases: await idOf(name) }), stopping);
    await untilProcessesWith(sleep, 1);
    stopping.abort(new Error('stopped'));
    await expect(building).rejects.toThrow('stopped');
    await untilProcessesWith(sleep, 0);
    expect(processesWith(sleep)).toEqual([]);
    expect(await readdir(parts.folder)).toEqual([]);
  });

  test('an image in which nothing can be started is no level, which names it', { timeout: 180_000 }, async () => {
    const built = await images.build(order({ key: 'eeee', dockerfile: 'FROM scratch\nENV A=1\n' }), {});
    if (built.kind !== 'found') throw new Error(built.why);
    const walls = await probeContainerWalls({ ...parts, image: built.id, imageName: built.name });
    expect(walls).toEqual({
      missing: expect.stringContaining('with localhost/switchyard-devcontainer:eeee does not work here') as string,
    });
  });
});

async function idOf(name: string): Promise<string[]> {
  const found = await images.find(name, { pull: false });
  return found.kind === 'found' ? [found.id] : [];
}

function order(given: Partial<ImageBuild> & Pick<ImageBuild, 'key' | 'dockerfile'>): ImageBuild {
  return {
    bases: [],
    args: {},
    target: undefined,
    isOnline: false,
    limits: {},
    writeContext: (context) => mkdir(join(context, 'empty')),
    ...given,
  };
}
