import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { messageOf } from '../../../lib/error.ts';
import { whichOn } from '../../../lib/exec/which.ts';
import { BARE_ENCLOSURE, type Enclosure, type Walls } from '../../../ports/sandbox.ts';
import { processesWith, uniqueSleep, untilProcessesWith } from '../../../testing/marked-processes.ts';
import { reader, run, script } from '../../../testing/sandbox-contract/program.ts';
import { sandboxContract } from '../../../testing/sandbox-contract.ts';
import { ask, engineNamed } from './engine.ts';
import { makeTestImage } from './fixture/image.ts';
import { testWalls } from './fixture/walls.ts';
import { clearContainers, containerRemains } from './index.ts';
import { labelsFor } from './labels.ts';

/** Enough for what the image has in /tmp, which is copied into the container's own: the Node of a checkout that lies there. */
const MEMORY = 256 * 2 ** 20;

const which = whichOn(process.env['PATH']);
const image = await makeTestImage();
const folder = await mkdtemp(join(tmpdir(), 'switchyard-containers-'));
const talk = join(folder, 'talk');
const query = new URLSearchParams({ folder: talk, env: JSON.stringify(typeof image === 'string' ? {} : image.env) });
const module = `${new URL('fixture/walls.ts', import.meta.url).href}?${query.toString()}`;
const host = { which, env: { PATH: process.env['PATH'], ...(typeof image === 'string' ? {} : image.env) } };
const walls = typeof image === 'string' ? image : await wallsOf();

afterAll(async () => {
  if (typeof image !== 'string') await image[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test('there is an engine to test', (context) => {
  if (typeof walls === 'string') context.skip(walls);
  expect(walls).toMatchObject({ level: 'container', boundsNetwork: true });
});

if (typeof walls !== 'string') {
  sandboxContract({
    title: `level container by ${walls.mechanism}`,
    make: () => Promise.resolve(walls.enclose(BARE_ENCLOSURE)),
    walls: { module, export: 'testWalls', remains: containerRemains(host) },
    encloses: walls,
  });
  describe('a container', () => {
    cases(walls);
  });
}

async function wallsOf(): Promise<Walls | string> {
  return testWalls(which, query).catch(messageOf);
}

function cases(walls: Walls): void {
  const nothing: Enclosure = { mounts: [], network: { kind: 'none' }, limits: {}, counted: [] };
  const containers = async () => {
    const engine = await engineNamed(host, engineOf(walls));
    const { stdout } = await ask(engine ?? expect.fail('no engine'), ['ps', '--all', '--format', '{{.Names}}']);
    return stdout.split('\n').filter(Boolean);
  };

  test('shows the mounts at their places, and lets programs write only where they may', async () => {
    const [tree, shared] = [join(folder, 'tree, "odd"'), join(folder, 'shared')];
    for (const path of [tree, shared]) await mkdir(path);
    await writeFile(join(shared, 'given'), 'from the host\n');
    const sandbox = walls.enclose({
      ...nothing,
      mounts: [
        { host: shared, inside: '/shared', writable: false },
        { host: tree, inside: '/workspace', writable: true },
      ],
    });
    expect(sandbox.inside(join(tree, 'a/b'))).toBe('/workspace/a/b');
    const code =
      'pwd; cat /shared/given; echo made >made; echo x >/shared/given; echo x >/usr/x; echo kept >/tmp/x && cat /tmp/x';
    const result = await run(sandbox, script(code, { cwd: tree }));
    expect(result.stdout).toMatch(/^\/workspace\nfrom the host\n/);
    expect(result.stdout).toMatch(/kept\n$/);
    expect(result.stderr.match(/Read-only file system/g)).toHaveLength(2);
    expect(await readFile(join(tree, 'made'), 'utf8')).toBe('made\n');
    expect(await readFile(join(shared, 'given'), 'utf8')).toBe('from the host\n');
  });

  test('shows a file that a program needs to read, and no other of its folder', async () => {
    await mkdir(join(folder, 'tools'));
    await writeFile(join(folder, 'tools/shown'), 'shown\n');
    await writeFile(join(folder, 'tools/other'), 'other\n');
    const result = await run(
      walls.enclose(nothing),
      script(`ls ${join(folder, 'tools')}`, { reads: [join(folder, 'tools/shown')] }),
    );
    expect(result.stdout).toBe('shown\n');
  });

  test('runs programs as the owner of the workspace, without any capability', async () => {
    const tree = join(folder, 'owned');
    await mkdir(tree);
    await chown(tree, 4321, 4322);
    const sandbox = walls.enclose({ ...nothing, mounts: [{ host: tree, inside: '/workspace', writable: true }] });
    const result = await run(
      sandbox,
      script('id -u; id -g; hostname; grep -E "CapEff|NoNewPrivs" /proc/self/status; echo >made', { cwd: tree }),
    );
    expect(result.stdout).toBe('4321\n4322\nworkspace\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n');
    expect(await stat(join(tree, 'made'))).toMatchObject({ uid: 4321, gid: 4322 });
  });

  test('has no network but its own loopback', async () => {
    const result = await run(walls.enclose(nothing), script('cat /proc/net/dev /proc/net/route'));
    expect(result.stdout.match(/^\s*\w+:/gm)?.map((name) => name.trim())).toEqual(['lo:']);
  });

  test('leads a port of its loopback to a socket of the host, and no other port anywhere', async () => {
    const socket = join(folder, 'way.sock');
    const server = createServer((client) => {
      client.once('data', (asked: Buffer) => client.end(`heard ${asked.toString()}`));
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const sandbox = walls.enclose({ ...nothing, network: { kind: 'bridged', bridges: [{ port: 4010, socket }] } });
    const connect = (port: number) => `exec 5<>/dev/tcp/127.0.0.1/${port} && echo hello >&5 && cat <&5`;
    const bash = (port: number) => ({
      argv: ['bash', '-c', connect(port)] as const,
      cwd: '/',
      env: { PATH: '/usr/bin' },
    });
    expect(await run(sandbox, bash(4010))).toMatchObject({ code: 0, stdout: 'heard hello\n' });
    expect(await run(sandbox, bash(4011))).toMatchObject({ code: 1, stdout: '' });
    server.close();
  });

  test('tells that a program ran into its memory', async () => {
    const sandbox = walls.enclose({ ...nothing, limits: { memory: MEMORY } });
    const result = await run(sandbox, script('head -c 800000000 /dev/zero | tail -c 799999999 | wc -c'));
    expect(result.breach).toMatchObject({ limit: 'memory', max: MEMORY });
    expect((await run(sandbox, script('echo small'))).breach).toBe(undefined);
  });

  test('tells that a program was refused more processes', async () => {
    const sandbox = walls.enclose({ ...nothing, limits: { processes: 16 } });
    const result = await run(
      sandbox,
      script('for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do sleep 0.2 & done; wait'),
    );
    expect(result.breach).toMatchObject({ limit: 'processes', max: 16 });
    expect((await run(sandbox, script('sleep 0.01 & wait'))).breach).toBe(undefined);
  });

  test('leaves no container and no file behind', async () => {
    // What the contract's killed harness has left is there until it is swept.
    const before = await readdir(talk);
    const sandbox = walls.enclose({ ...nothing, limits: { memory: MEMORY } });
    await run(sandbox, script('true'));
    await sandbox.spawn({ argv: ['no-such-program'], cwd: '/', env: {} }).catch(() => undefined);
    expect(await containers()).toEqual([]);
    expect(await readdir(talk)).toEqual(before);
  });

  test('a program cannot hold the leash that its container hangs on', async () => {
    const leash = '/run/switchyard/leash';
    const result = await run(walls.enclose(nothing), script(`chmod 600 ${leash}; exec 9>${leash}; echo held`));
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(/Permission denied/);
  });

  test('its variables are in no argument list that others on the host can see', async () => {
    await using running = await walls
      .enclose(nothing)
      .spawn(script('echo $SECRET; read line; sleep 86400', { env: { PATH: '/usr/bin', SECRET: uniqueSleep() } }));
    const secret = await reader(running)();
    expect(processesWith(secret ?? '')).toEqual([]);
  });

  test('a sweep removes what a dead harness has left, and nothing of a living one', async () => {
    const sleep = uniqueSleep();
    await using living = await walls.enclose(nothing).spawn(script(`sleep ${sleep}; true`));
    await untilProcessesWith(sleep, 1);
    expect(await clearContainers(host, { home: 'test', folder: talk })).toEqual([]);
    expect(processesWith(sleep)).toHaveLength(1);
    await living.stop(0);
    const engine = await engineNamed(host, engineOf(walls));
    const owner = (labelsFor('test', engine?.name ?? '')['switchyard.owner'] ?? '').replace(
      /"start":"[^"]*"/,
      '"start":"long:ago"',
    );
    const labels = { 'switchyard.home': 'test', 'switchyard.engine': engine?.name, 'switchyard.owner': owner };
    const args = Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]);
    await ask(engine ?? expect.fail('no engine'), [
      'create',
      '--name',
      'switchyard-left',
      ...args,
      'switchyard-test',
      'true',
    ]);
    expect(await clearContainers(host, { home: 'another', folder })).toEqual([]);
    expect(await clearContainers(host, { home: 'test', folder: talk })).toEqual(['switchyard-left']);
    expect(await containers()).toEqual([]);
    expect(await readdir(talk)).toEqual([]);
  });
}

/** The engine's name out of what makes the walls. */
function engineOf({ mechanism }: Walls): string {
  return mechanism.replace(/;.*$/, '').replaceAll(', ', ',');
}
