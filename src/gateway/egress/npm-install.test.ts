import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../lib/exec/run-program.ts';
import { whichOn } from '../../lib/exec/which.ts';
import { type TempFolder, tempFolder, writeFiles } from '../../testing/temp-repository.ts';
import {
  answerOf,
  bridgeTo,
  certificateFor,
  type LoopbackServer,
  type OpenedEgress,
  onLoopback,
  openedEgress,
} from './fixture/egress-fixture.ts';

const PATH = `/usr/local/bin:/usr/bin:/bin:${dirname(process.execPath)}`;
const npm = await whichOn(PATH)('npm');
const TOKEN = 'npm_tokenofthismachine';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
}

let folder: TempFolder;
let registry: LoopbackServer;
let elsewhere: LoopbackServer;
let home: string;
const asked: Asked[] = [];
const connections: Socket[] = [];
const askedElsewhere: Asked[] = [];

beforeAll(async () => {
  folder = await tempFolder();
  const certificate = await certificateFor(folder.path, ['127.0.0.1', 'localhost']);
  const tarballs = new Map([
    ['left-pad-1.0.0.tgz', await packed('left-pad')],
    ['right-pad-2.0.0.tgz', await packed('@own/right-pad', '2.0.0')],
  ]);
  const server = createHttpsServer(certificate, (request, response) => {
    asked.push(seen(request));
    answer(request, response, tarballs);
  });
  server.on('connection', (socket: Socket) => void connections.push(socket));
  registry = await onLoopback(server);
  elsewhere = await onLoopback(
    createHttpServer((request, response) => {
      askedElsewhere.push(seen(request));
      response.end();
    }),
  );
  home = join(folder.path, 'home');
  await writeFiles(home, {
    '.npmrc': [
      `registry=https://127.0.0.1:${registry.port}/all/`,
      `@own:registry=https://localhost:${registry.port}/own/`,
      `//127.0.0.1:${registry.port}/all/:_authToken=${TOKEN}`,
      `//localhost:${registry.port}/own/:_authToken=${TOKEN}`,
      `cafile=${certificate.path}`,
    ].join('\n'),
  });
});

afterAll(async () => {
  await Promise.all([registry, elsewhere].map((made) => made[Symbol.asyncDispose]()));
  await folder[Symbol.asyncDispose]();
});

function seen({ method = '', url = '', headers }: IncomingMessage): Asked {
  return { method, url, authorization: headers.authorization };
}

/** A registry that shows nothing to anybody without the token. */
function answer(request: IncomingMessage, response: ServerResponse, tarballs: ReadonlyMap<string, Buffer>): void {
  const { url = '' } = request;
  if (request.headers.authorization !== `Bearer ${TOKEN}`) return void response.writeHead(401).end('{}');
  if (url === '/all/away')
    return void response.writeHead(302, { location: `http://127.0.0.1:${elsewhere.port}/x` }).end();
  if (url === '/all/near') {
    return void response.writeHead(302, { location: `https://127.0.0.1:${registry.port}/all/left-pad` }).end();
  }
  const tarball = tarballs.get(url.split('/').at(-1) ?? '');
  if (tarball !== undefined) return void response.end(tarball);
  const packument = {
    '/all/left-pad': ['left-pad', '1.0.0', `https://127.0.0.1:${registry.port}/all/left-pad/-/left-pad-1.0.0.tgz`],
    '/own/@own%2fright-pad': [
      '@own/right-pad',
      '2.0.0',
      `https://localhost:${registry.port}/own/@own/right-pad/-/right-pad-2.0.0.tgz`,
    ],
  }[url];
  if (packument === undefined) return void response.writeHead(404).end('{}');
  const [name = '', version = '', tarballUrl] = packument;
  response.setHeader('content-type', 'application/json');
  response.setHeader('set-cookie', 'session=secret');
  response.end(
    JSON.stringify({
      name,
      'dist-tags': { latest: version },
      versions: { [version]: { name, version, dist: { tarball: tarballUrl } } },
    }),
  );
}

/** What `npm pack` makes of a small package. */
async function packed(name: string, version = '1.0.0'): Promise<Buffer> {
  const place = join(folder.path, 'packages', name);
  await writeFiles(place, {
    'package.json': JSON.stringify({ name, version, main: 'index.js' }),
    'index.js': `module.exports = '${name}';\n`,
  });
  const { stdout } = await run(place, ['pack', '--json'], {});
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return readFile(join(place, filename));
}

async function run(cwd: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  await mkdir(join(folder.path, 'inside'), { recursive: true });
  const result = await runProgram({
    file: npm ?? '',
    args: [...args, '--no-audit', '--no-fund', '--no-update-notifier'],
    cwd,
    env: { PATH, HOME: join(folder.path, 'inside'), npm_config_cache: join(cwd, '.npm-cache'), ...env },
    input: undefined,
    signal: AbortSignal.timeout(50_000),
  });
  return { ...result, stdout: result.stdout.toString() };
}

function opened(packages = true): Promise<OpenedEgress> {
  return openedEgress({ packages }, { hostEnv: { HOME: home } });
}

describe.skipIf(npm === undefined)('npm within the walls', () => {
  test('installs from this machine’s registries without knowing their credential', { timeout: 60_000 }, async () => {
    await using egress = await opened();
    await using bridge = await bridgeTo(egress.socketOf(4873));
    const { env } = egress.egress;
    const inside = Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, value.replace(':4873/', `:${bridge.port}/`)]),
    );
    const place = join(folder.path, 'project');
    const dependencies = { 'left-pad': '1.0.0', '@own/right-pad': '2.0.0' };
    await writeFiles(place, { 'package.json': JSON.stringify({ name: 'project', dependencies }) });
    asked.length = 0;
    const { code, stdout, stderr } = await run(place, ['install'], inside);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout, stderr: '' });
    const installed = join(place, 'node_modules', '@own', 'right-pad', 'index.js');
    expect(await readFile(installed, 'utf8')).toContain('@own/right-pad');
    const lock = await readFile(join(place, 'package-lock.json'), 'utf8');
    expect(lock).not.toContain('127.0.0.1');
    expect(asked.map(({ url }) => url).toSorted()).toEqual([
      '/all/left-pad',
      '/all/left-pad/-/left-pad-1.0.0.tgz',
      '/own/@own%2fright-pad',
      '/own/@own/right-pad/-/right-pad-2.0.0.tgz',
    ]);
    expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${TOKEN}`]));
    expect(JSON.stringify([env, egress.egress.bridges, stdout, stderr, lock])).not.toContain(TOKEN);
  });

  test('and again from a lock file that names the registry outright', { timeout: 60_000 }, async () => {
    await using egress = await opened();
    await using bridge = await bridgeTo(egress.socketOf(4873));
    const inside = Object.fromEntries(
      Object.entries(egress.egress.env).map(([name, value]) => [name, value.replace(':4873/', `:${bridge.port}/`)]),
    );
    const place = join(folder.path, 'locked');
    const manifest = { name: 'project', version: '1.0.0', dependencies: { 'left-pad': '1.0.0' } };
    const resolved = `https://127.0.0.1:${registry.port}/all/left-pad/-/left-pad-1.0.0.tgz`;
    await writeFiles(place, {
      'package.json': JSON.stringify(manifest),
      'package-lock.json': JSON.stringify({
        ...manifest,
        lockfileVersion: 3,
        requires: true,
        packages: { '': manifest, 'node_modules/left-pad': { version: '1.0.0', resolved } },
      }),
    });
    asked.length = 0;
    expect(await run(place, ['ci'], inside)).toMatchObject({ code: 0 });
    expect(asked.map(({ url }) => url)).toEqual(['/all/left-pad/-/left-pad-1.0.0.tgz']);
  });
});

describe('the registry within the walls', () => {
  test('keeps its connection outside open between requests', async () => {
    await using egress = await opened();
    const before = connections.length;
    for (let at = 0; at < 3; at++) expect(await ask(egress, 'GET /left-pad')).toMatch(/^HTTP\/1.1 200/);
    expect(connections.length - before).toBe(1);
    for (const socket of connections) socket.destroy();
    expect(await ask(egress, 'GET /left-pad')).toMatch(/^HTTP\/1.1 200/);
  });

  const ask = (egress: OpenedEgress, line: string, more = '') =>
    answerOf(egress.socketOf(4873), `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}\r\n`);

  test('adds the credential, and leaves out what a program sends as one', async () => {
    await using egress = await opened();
    const heard = await ask(egress, 'GET /all/left-pad', 'Authorization: Bearer mine\r\nCookie: a=b\r\n');
    expect(heard).toMatch(/^HTTP\/1.1 200/);
    expect(heard).not.toContain(TOKEN);
    expect(heard).not.toContain('session=secret');
  });

  test('finds a scope’s registry though it was not asked for', async () => {
    await using egress = await opened();
    expect(await ask(egress, 'GET /@own%2fright-pad')).toContain('right-pad-2.0.0.tgz');
  });

  test('changes nothing, and shows nothing but packages', async () => {
    await using egress = await opened();
    asked.length = 0;
    for (const line of [
      'PUT /all/left-pad',
      'GET /api/v4/user',
      'GET /all/../api/v4/user',
      'GET /all/-/npm/v1/tokens',
    ]) {
      expect(await ask(egress, line)).toMatch(/^HTTP\/1.1 403/);
    }
    expect(asked).toEqual([]);
  });

  test('leads redirects within the registry back here, and others away without the credential', async () => {
    await using egress = await opened();
    expect(await ask(egress, 'GET /all/near')).toMatch(/302[^]*location: \/all\/left-pad\r\n/i);
    expect(await ask(egress, 'GET /all/away')).toContain(`http://127.0.0.1:${elsewhere.port}/x`);
    expect(askedElsewhere).toEqual([]);
  });

  test('says what fails without the credential', async () => {
    const place = join(folder.path, 'other-home');
    const gone = await onLoopback(createHttpServer());
    await gone[Symbol.asyncDispose]();
    const settings = [`registry=http://127.0.0.1:${gone.port}/`, `//127.0.0.1:${gone.port}/:_authToken=${TOKEN}`];
    await writeFiles(place, { '.npmrc': settings.join('\n') });
    await using egress = await openedEgress({ packages: true }, { hostEnv: { HOME: place } });
    const heard = await ask(egress, 'GET /left-pad');
    expect(heard).toMatch(/^HTTP\/1.1 502[^]*ECONNREFUSED/);
    expect(heard).not.toContain(TOKEN);
  });

  test('is verified: one whose certificate nobody vouches for gets nothing', async () => {
    const place = join(folder.path, 'trusting-home');
    const text = await readFile(join(home, '.npmrc'), 'utf8');
    await writeFiles(place, { '.npmrc': text.replace(/^cafile=.*$/m, '') });
    await using egress = await openedEgress({ packages: true }, { hostEnv: { HOME: place } });
    asked.length = 0;
    expect(await ask(egress, 'GET /all/left-pad')).toMatch(/^HTTP\/1.1 502/);
    expect(asked).toEqual([]);
  });

  test('is not there where packages are not to be reached, nor where no credential is needed', async () => {
    await using without = await opened(false);
    expect(without.egress.bridges.map(({ port }) => port)).toEqual([3128]);
    expect(without.egress.env).not.toHaveProperty('npm_config_registry');
    const place = join(folder.path, 'plain-home');
    await mkdir(place);
    await writeFile(join(place, '.npmrc'), `registry=https://mirror.test/npm\n//else.test/:_authToken=${TOKEN}`);
    await using plain = await openedEgress({ packages: true }, { hostEnv: { HOME: place } });
    expect(plain.egress.bridges.map(({ port }) => port)).toEqual([3128]);
    expect(plain.egress.env).toMatchObject({ npm_config_registry: 'https://mirror.test/npm/' });
  });
});
