import { once } from 'node:events';
import { chmod, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Enclosure } from '../../../ports/sandbox.ts';
import { freePort } from '../../../testing/free-port.ts';
import { plainSandbox } from '../../../testing/plain-sandbox.ts';
import { run, script } from '../../../testing/sandbox-contract/program.ts';
import { macosWalls, probeMacosWalls } from './index.ts';

// What can be seen without a Mac: a program in the place of `sandbox-exec` that takes the profile and walls nothing off.
let folder: string;
let sandboxExec: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'switchyard-macos-')));
  sandboxExec = join(folder, 'sandbox-exec');
  await writeFile(sandboxExec, '#!/bin/sh\n[ "$1" = -p ] || exit 64\nshift 2\nexec "$@"\n');
  await chmod(sandboxExec, 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

const enclosure = (network: Enclosure['network']): Enclosure => ({
  mounts: [{ host: folder, inside: '/workspace', writable: true }],
  network,
  limits: {},
  counted: [],
});

test('a program is started with the profile of its enclosure, at the paths of this machine', async () => {
  const plain = plainSandbox();
  const sandbox = macosWalls(sandboxExec, plain).enclose(enclosure({ kind: 'none' }));
  expect(sandbox.inside(join(folder, 'a'))).toBe(join(folder, 'a'));
  expect(await run(sandbox, script('pwd -P; exit 3', { cwd: folder }))).toMatchObject({
    code: 3,
    stdout: `${folder}\n`,
  });
  const [file, flag, profile] = plain.started[0]?.argv ?? [];
  expect([file, flag]).toEqual([sandboxExec, '-p']);
  expect(profile).toContain(`(subpath "${folder}")`);
});

test('ways out are open as long as a program runs, and no longer', async () => {
  const socket = join(folder, 'way.sock');
  await using way = await listening(createServer((client) => client.end('reached')).listen(socket));
  const port = await freePort();
  const sandbox = macosWalls(sandboxExec, plainSandbox()).enclose(
    enclosure({ kind: 'bridged', bridges: [{ port, socket }] }),
  );
  const ask = {
    argv: ['bash', '-c', `cat </dev/tcp/127.0.0.1/${port}`] as const,
    cwd: folder,
    env: { PATH: '/usr/bin:/bin' },
  };
  expect(way.server.listening).toBe(true);
  const both = await Promise.all([run(sandbox, ask), run(sandbox, ask)]);
  expect(both.map(({ stdout }) => stdout)).toEqual(['reached', 'reached']);
  expect((await run(plainSandbox(), ask)).code).not.toBe(0);
});

test('a port that is somebody else’s is refused, not used', async () => {
  await using other = await listening(createServer().listen(0, '127.0.0.1'));
  const { port } = other.server.address() as AddressInfo;
  const network = { kind: 'bridged', bridges: [{ port, socket: join(folder, 'none.sock') }] } as const;
  const sandbox = macosWalls(sandboxExec, plainSandbox()).enclose(enclosure(network));
  await expect(sandbox.spawn(script('true', { cwd: folder }))).rejects.toMatchObject({ code: 'sandbox/cannot-start' });
});

test('another system has no such walls', async () => {
  const found = await probeMacosWalls({
    which: () => Promise.resolve(undefined),
    platform: 'linux',
    plain: plainSandbox(),
  });
  expect(found).toEqual({ missing: 'this system is not macOS' });
});

test('says that it is a preview', () => {
  const { summary, holds } = macosWalls(sandboxExec, plainSandbox());
  expect(summary).toContain('preview: not tried on a Mac by this project');
  expect(holds).not.toContain('ends');
});

async function listening(server: Server): Promise<AsyncDisposable & { readonly server: Server }> {
  await once(server, 'listening');
  return { server, [Symbol.asyncDispose]: () => new Promise<void>((closed) => server.close(() => closed())) };
}
