import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../lib/exec/run-program.ts';
import { whichOn } from '../../lib/exec/which.ts';
import { type TempFolder, tempFolder, writeFiles } from '../../testing/temp-repository.ts';
import { createEgress } from './create.ts';
import {
  answerOf,
  bridgeTo,
  type Certificate,
  certificateFor,
  heardFrom,
  type LoopbackServer,
  onLoopback,
  openedEgress,
  tunnelTo,
} from './fixture/egress-fixture.ts';

const PATH = '/usr/local/bin:/usr/bin:/bin';
const curl = await whichOn(PATH)('curl');

let folder: TempFolder;
let certificate: Certificate;
let secure: LoopbackServer;

beforeAll(async () => {
  folder = await tempFolder();
  certificate = await certificateFor(folder.path, ['good.test', 'proxy.test']);
  secure = await onLoopback(createHttpsServer(certificate, (_request, response) => response.end('hello from outside')));
});

afterAll(async () => {
  await secure[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

describe('the sockets', () => {
  test('lie in a folder for this user alone, and are gone once disposed', async () => {
    const opened = await openedEgress({});
    const place = dirname(opened.socketOf());
    expect(dirname(place)).toBe(opened.folder);
    expect((await stat(place)).mode & 0o777).toBe(0o700);
    await opened.egress[Symbol.asyncDispose]();
    expect(existsSync(place)).toBe(false);
    await opened[Symbol.asyncDispose]();
  });

  test('lie elsewhere where their paths would be too long', async () => {
    await using opened = await openedEgress({}, { folder: join(folder.path, 'deep'.repeat(20)) });
    expect(Buffer.byteLength(opened.socketOf())).toBeLessThan(100);
    expect(await answerOf(opened.socketOf(), 'CONNECT x HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP/);
    expect((await stat(dirname(opened.socketOf()))).mode & 0o777).toBe(0o700);
  });

  test('of a process that died are removed with the next opening, those of one that lives are not', async () => {
    await using living = await openedEgress({});
    const place = dirname(living.socketOf());
    const mark = '.switchyard-scratch.json';
    const owner = JSON.parse(await readFile(join(place, mark), 'utf8')) as object;
    const dead = join(living.folder, 'e-dead');
    await writeFiles(dead, { [mark]: JSON.stringify({ ...owner, start: 'long ago' }) });
    const open = createEgress({ folder: living.folder, hostEnv: {} });
    await using _next = await open({ hosts: [], packages: false, loopback: [] }, () => undefined);
    expect([existsSync(dead), existsSync(place)]).toEqual([false, true]);
  });
});

test('disposing ends what is under way', async () => {
  await using echo = await onLoopback(createServer((socket) => void socket.pipe(socket)));
  const own = `127.0.0.1:${echo.port}`;
  const opened = await openedEgress({ hosts: [own], loopback: [echo.port] }, { trusted: () => [own] });
  const { socket } = await tunnelTo(opened.socketOf(), own);
  const forwarded = connect({ path: opened.socketOf(echo.port) });
  const heard = Promise.all([heardFrom(socket), heardFrom(forwarded)]);
  await opened[Symbol.asyncDispose]();
  expect(await heard).toEqual(['', '']);
});

describe('what programs are told', () => {
  test('names the proxy and nothing secret', async () => {
    const hostEnv = {
      HTTPS_PROXY: 'http://user:hidden@proxy.test:1',
      PIP_INDEX_URL: 'https://me:hidden@pip.test/simple',
    };
    await using opened = await openedEgress({ packages: true }, { hostEnv });
    const { env, bridges } = opened.egress;
    expect(bridges.map(({ port }) => port)).toEqual([3128]);
    expect(env).toMatchObject({
      HTTP_PROXY: 'http://127.0.0.1:3128',
      HTTPS_PROXY: 'http://127.0.0.1:3128',
      http_proxy: 'http://127.0.0.1:3128',
      https_proxy: 'http://127.0.0.1:3128',
      NO_PROXY: 'localhost,127.0.0.1,::1',
      NODE_USE_ENV_PROXY: '1',
      PIP_INDEX_URL: 'https://pip.test/simple',
    });
    expect(env).not.toHaveProperty('ALL_PROXY');
    expect(JSON.stringify(env)).not.toContain('hidden');
  });

  test('a port that is asked for of the loopback is not taken for anything else', async () => {
    await using opened = await openedEgress({ loopback: [3128, 3129] });
    expect(new Set(opened.egress.bridges.map(({ port }) => port))).toEqual(new Set([3128, 3129, 3130]));
    expect(opened.egress.env).toMatchObject({ HTTP_PROXY: 'http://127.0.0.1:3130' });
  });

  test('certificates are named where they are the system’s, and not where they are a person’s', async () => {
    const system = '/etc/ssl/certs/ca-certificates.crt';
    const hostEnv = {
      SSL_CERT_FILE: system,
      NODE_EXTRA_CA_CERTS: certificate.path,
      CURL_CA_BUNDLE: '/etc/ssl/../passwd',
    };
    await using opened = await openedEgress({}, { hostEnv });
    const named = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'CURL_CA_BUNDLE'].map((name) => opened.egress.env[name]);
    expect(named).toEqual([existsSync(system) ? system : undefined, undefined, undefined]);
  });
});

describe('packages', () => {
  const statusOf = (path: string, target: string) => tunnelTo(path, target).then(({ status }) => status);
  const nowhere = { resolve: () => Promise.reject(new Error('nothing is looked up here')) };

  test('are reached at the well-known registries and at this machine’s own', async () => {
    const hostEnv = { PIP_INDEX_URL: 'https://pip.test:8443/simple', GOPROXY: 'https://go.test,direct' };
    await using opened = await openedEgress({ packages: true }, { ...nowhere, hostEnv });
    // Nothing is found where there is no network: that it was looked for is what says that it is allowed.
    for (const target of [
      'registry.npmjs.org:443',
      'pypi.org:443',
      'pip.test:8443',
      'go.test:443',
      'deb.debian.org:80',
    ]) {
      expect([target, await statusOf(opened.socketOf(), target)]).toEqual([target, 502]);
    }
    expect(await statusOf(opened.socketOf(), 'example.com:443')).toBe(403);
  });

  test('are not reached where they are not allowed', async () => {
    await using opened = await openedEgress({}, { ...nowhere, hostEnv: { GOPROXY: 'https://go.test' } });
    for (const target of ['registry.npmjs.org:443', 'go.test:443']) {
      expect(await statusOf(opened.socketOf(), target)).toBe(403);
    }
  });
});

describe('ports of the loopback', () => {
  test('lead to what listens there, in IPv4 and IPv6, both ways to the end', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      await using server = await onLoopback(
        createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket)),
        host,
      );
      await using opened = await openedEgress({ loopback: [server.port] });
      const socket = connect({ path: opened.socketOf(server.port), allowHalfOpen: true });
      socket.end('hello');
      expect(await heardFrom(socket)).toBe('hello');
    }
  });

  test('close where nothing listens', async () => {
    const gone = await onLoopback(createServer());
    await gone[Symbol.asyncDispose]();
    await using opened = await openedEgress({ loopback: [gone.port] });
    expect(await answerOf(opened.socketOf(gone.port), 'hello')).toBe('');
  });
});

describe('what cannot be opened is said', () => {
  test('a host that is none', async () => {
    await expect(openedEgress({ hosts: ['https://example.com'] })).rejects.toMatchObject({
      code: 'egress/cannot-open',
      message: expect.stringContaining('https://example.com') as string,
    });
  });

  test('a folder that is none, and nothing is left of it', async () => {
    const file = join(folder.path, 'file');
    await writeFile(file, '');
    await expect(openedEgress({}, { folder: file })).rejects.toMatchObject({ code: 'egress/cannot-open' });
  });
});

describe('a machine behind a proxy of its own', () => {
  test('goes through it with its credential, except where NO_PROXY says so', async () => {
    const asked: string[] = [];
    const proxy = createHttpServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers['proxy-authorization']}`);
      response.end('by way of the proxy');
    });
    proxy.on('connect', (request, near) => {
      asked.push(`CONNECT ${request.url} ${request.headers['proxy-authorization']}`);
      const far = connect(secure.port, '127.0.0.1', () => near.write('HTTP/1.1 200 OK\r\n\r\n'));
      near.on('error', () => far.destroy());
      near.pipe(far).pipe(near);
    });
    await using company = await onLoopback(proxy);
    const own = `http://me:secret@127.0.0.1:${company.port}`;
    const hostEnv = { HTTPS_PROXY: own, HTTP_PROXY: own, NO_PROXY: 'direct.test' };
    const hosts = ['good.test', 'good.test:80', `direct.test:${secure.port}`, '*.inner.test'];
    const resolve = async (name: string) => (name === 'good.test' ? [] : ['127.0.0.1']);
    const trusted = () => [`direct.test:${secure.port}`];
    await using opened = await openedEgress({ hosts }, { hostEnv, resolve, trusted });
    const authorization = `Basic ${btoa('me:secret')}`;
    expect((await tunnelTo(opened.socketOf(), 'good.test:443')).status).toBe(200);
    expect((await tunnelTo(opened.socketOf(), `direct.test:${secure.port}`)).status).toBe(200);
    const plain = 'GET http://good.test/x HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n';
    expect(await answerOf(opened.socketOf(), plain)).toContain('by way of the proxy');
    expect(asked).toEqual([`CONNECT good.test:443 ${authorization}`, `GET http://good.test/x ${authorization}`]);
    // What this machine knows to be private is not asked of the proxy either.
    expect((await tunnelTo(opened.socketOf(), 'a.inner.test:443')).status).toBe(403);
    expect(asked).toHaveLength(2);
  });

  test('says what the proxy answered, without its address and credential', async () => {
    const proxy = createHttpServer();
    proxy.on('connect', (_request, near) => near.end('HTTP/1.1 407 No\r\n\r\n'));
    await using company = await onLoopback(proxy);
    const hostEnv = { HTTPS_PROXY: `http://me:secret@127.0.0.1:${company.port}` };
    await using opened = await openedEgress({ hosts: ['good.test'] }, { hostEnv, resolve: async () => [] });
    const answer = await answerOf(opened.socketOf(), 'CONNECT good.test:443 HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 502[^]*proxy answered 407/);
    expect(answer).not.toMatch(/secret|127\.0\.0\.1/);
  });
});

describe.skipIf(curl === undefined)('curl', () => {
  test('reaches what is allowed by the variables alone, and not what is not', async () => {
    const place = `good.test:${secure.port}`;
    await using opened = await openedEgress(
      { hosts: [place] },
      { trusted: () => [place], resolve: async () => ['127.0.0.1'] },
    );
    await using bridge = await bridgeTo(opened.socketOf());
    const env = Object.fromEntries(
      Object.entries(opened.egress.env).map(([name, value]) => [name, value.replace(':3128', `:${bridge.port}`)]),
    );
    const get = (url: string) =>
      runProgram({
        file: curl ?? '',
        args: ['--silent', '--show-error', '--cacert', certificate.path, url],
        cwd: folder.path,
        env: { ...env, PATH },
        input: undefined,
        signal: undefined,
      });
    expect((await get(`https://${place}/`)).stdout.toString()).toBe('hello from outside');
    const refused = await get(`https://evil.test:${secure.port}/`);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('403');
    expect(opened.refused).toEqual([`evil.test:${secure.port}`]);
  });
});
