import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerOf, onLoopback } from './fixture/egress-fixture.ts';
import { egressTo, evil, good, type TestHosts, testHosts } from './fixture/test-hosts.ts';

let hosts: TestHosts;
let plain: TestHosts['plain'];
let journal: TestHosts['journal'];

beforeAll(async () => {
  hosts = await testHosts();
  ({ plain, journal } = hosts);
});

afterAll(() => hosts[Symbol.asyncDispose]());

describe('plain HTTP', () => {
  const get = (authority: string, path = '/', more = '') =>
    `GET http://${authority}${path} HTTP/1.1\r\nHost: ${authority}\r\n${more}Connection: close\r\n\r\n`;

  test('reaches an allowed host', async () => {
    await using opened = await egressTo([good(plain)]);
    expect(await answerOf(opened.socketOf(), get(good(plain), '/x?y=1'))).toMatch(/200 OK[^]*plain GET \/x\?y=1/);
    expect(opened.refused).toEqual([]);
  });

  test('does not reach another one, which is told once', async () => {
    await using opened = await egressTo([good(plain)]);
    for (const path of ['/', '/again']) {
      expect(await answerOf(opened.socketOf(), get(evil(plain), path))).toMatch(/^HTTP\/1.1 403/);
    }
    expect(opened.refused).toEqual([evil(plain)]);
  });

  test('goes where its address says, whatever its Host header does', async () => {
    await using opened = await egressTo([good(plain)]);
    const text = get(good(plain)).replace(/Host: .*/, 'Host: evil.test');
    expect(await answerOf(opened.socketOf(), text)).toContain('plain GET /');
    expect(journal.at(-1)?.headers).toContain(good(plain));
    expect(journal.at(-1)?.headers).not.toContain('evil.test');
  });

  test('a body passes, sized or in chunks', async () => {
    await using opened = await egressTo([good(plain)]);
    const post = `POST http://${good(plain)}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`;
    const sized = await answerOf(opened.socketOf(), `${post}Content-Length: 5\r\n\r\nhello`);
    const chunked = await answerOf(
      opened.socketOf(),
      `${post}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    );
    expect(sized).toContain('plain POST / hello');
    expect(chunked).toContain('plain POST / hello');
  });

  test('a request that is framed in two ways is refused', async () => {
    await using opened = await egressTo([good(plain)]);
    const before = journal.length;
    const text = `POST http://${good(plain)}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET http://${evil(plain)}/ HTTP/1.1\r\n\r\n`;
    expect(await answerOf(opened.socketOf(), text)).toMatch(/^HTTP\/1.1 400/);
    expect(journal.length).toBe(before);
  });

  test('headers of the connection stay behind, all others pass', async () => {
    await using opened = await egressTo([good(plain)]);
    const more = 'Proxy-Authorization: Basic eA==\r\nX-Hop: 1\r\nConnection: x-hop\r\nX-Kept: 2\r\n';
    await answerOf(opened.socketOf(), get(good(plain), '/', more));
    const names = journal.at(-1)?.headers.map((text) => text.toLowerCase());
    expect(names).toContain('x-kept');
    expect(names).not.toContain('x-hop');
    expect(names).not.toContain('proxy-authorization');
  });

  test('headers that come twice come back twice', async () => {
    await using opened = await egressTo([good(plain)]);
    expect(await answerOf(opened.socketOf(), get(good(plain), '/many'))).toMatch(/a=1[^]*b=2/);
  });

  test('a redirect is the client’s to follow, back through the proxy', async () => {
    await using opened = await egressTo([good(plain)]);
    expect(await answerOf(opened.socketOf(), get(good(plain), '/away'))).toMatch(/302 Found[^]*evil\.test/);
    expect(opened.refused).toEqual([]);
  });

  test.each([
    'HTTP/1.1 000 Nothing\r\n\r\n',
    'HTTP/1.1 099 Less\r\n\r\n',
    'HTTP/1.1 200 \u0001\u007f\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX: a\u0001\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 101 Other\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    'nothing of the kind',
  ])('an answer that is none harms nothing: %j', async (text) => {
    await using server = await onLoopback(createServer((socket) => void socket.resume().end(text)));
    await using opened = await egressTo([good(server), good(plain)]);
    expect(await answerOf(opened.socketOf(), get(good(server)))).toMatch(/^HTTP\/1.1 (502 Bad Gateway|200 OK\r\n)/);
    expect(await answerOf(opened.socketOf(), get(good(plain)))).toContain('200 OK');
  });

  test('several requests at once on one connection are judged one by one', async () => {
    await using opened = await egressTo([good(plain)]);
    const first = get(good(plain), '/one').replace('Connection: close\r\n', '');
    const second = get(evil(plain), '/two');
    expect(await answerOf(opened.socketOf(), `${first}${second}`)).toMatch(/plain GET \/one[^]*403 Forbidden/);
  });

  test.each([
    ['no whole address', '/path'],
    ['another scheme', 'https://good.test/'],
    ['a user before the host', 'http://good.test@evil.test/'],
    ['a host that is none', 'http://good.test%00.evil.test/'],
  ])('is not understood with %s', async (_, target) => {
    await using opened = await egressTo(['good.test', 'evil.test']);
    const text = `GET ${target} HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n`;
    expect(await answerOf(opened.socketOf(), text)).toMatch(/^HTTP\/1.1 400/);
  });

  test('headers of any size are not taken', async () => {
    await using opened = await egressTo([good(plain)]);
    const huge = get(good(plain), '/', `X-Huge: ${'x'.repeat(64 * 1024)}\r\n`);
    expect(await answerOf(opened.socketOf(), huge)).toMatch(/^HTTP\/1.1 431/);
  });
});
