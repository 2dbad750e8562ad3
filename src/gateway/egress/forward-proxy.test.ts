import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, connect as netConnect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitUntil } from '../../lib/wait-until.ts';
import { type TempFolder, tempFolder } from '../../testing/temp-repository.ts';
import {
  answerOf,
  type Certificate,
  certificateFor,
  heardFrom,
  type LoopbackServer,
  type OpenedEgress,
  onLoopback,
  openedEgress,
  tunnelTo,
} from './fixture/egress-fixture.ts';

const journal: { method: string; url: string; headers: string[]; body: string }[] = [];
let folder: TempFolder;
let certificate: Certificate;
let plain: LoopbackServer;
let secure: LoopbackServer;
let echo: LoopbackServer;

beforeAll(async () => {
  folder = await tempFolder();
  certificate = await certificateFor(folder.path, ['good.test', 'evil.test']);
  plain = await onLoopback(
    createHttpServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.once('end', () => {
        const { method = '', url = '', rawHeaders } = request;
        journal.push({ method, url, headers: rawHeaders, body });
        if (url === '/away') response.writeHead(302, { location: `http://evil.test:${plain.port}/` });
        if (url === '/many') response.writeHead(200, { 'set-cookie': ['a=1', 'b=2'] });
        response.end(`plain ${method} ${url} ${body}`);
      });
    }),
  );
  secure = await onLoopback(
    createHttpsServer(certificate, (request, response) => response.end(`secure ${request.headers.host}`)),
  );
  echo = await onLoopback(
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.pipe(socket);
    }),
  );
});

afterAll(async () => {
  await Promise.all([plain, secure, echo, folder].map((made) => made[Symbol.asyncDispose]()));
});

/** A machine that knows `good.test` as its own server, and finds every name on its loopback. */
function egressTo(hosts: readonly string[], trusted: readonly string[] = hosts): Promise<OpenedEgress> {
  return openedEgress({ hosts }, { trusted: () => trusted, resolve: async () => ['127.0.0.1'] });
}

const good = (server: LoopbackServer) => `good.test:${server.port}`;
const evil = (server: LoopbackServer) => `evil.test:${server.port}`;

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

describe('CONNECT', () => {
  test('reaches an allowed host, on the port that was allowed', async () => {
    await using opened = await egressTo([good(secure)]);
    expect(await secureAnswer(opened, good(secure), 'good.test')).toContain('secure inside');
  });

  test.each(['GOOD.test', 'good.test.'])('by another spelling of its name: %s', async (name) => {
    await using opened = await egressTo([good(secure)]);
    expect(await secureAnswer(opened, `${name}:${secure.port}`, 'good.test')).toContain('secure inside');
  });

  test('does not reach another host, nor another port', async () => {
    await using opened = await egressTo([good(secure)]);
    const targets = [evil(secure), good(plain), 'good.test:443'];
    for (const target of targets) expect((await tunnelTo(opened.socketOf(), target)).status).toBe(403);
    expect(opened.refused).toEqual([evil(secure), good(plain), 'good.test']);
  });

  test.each([
    'good.test',
    'u:p@good.test:443',
    'good.test:443/x',
    'http://good.test:443',
    'good.test:99999',
    '%67ood.test:443',
  ])('does not take %s for a host and a port', async (target) => {
    await using opened = await egressTo(['good.test']);
    expect((await tunnelTo(opened.socketOf(), target)).status).toBe(400);
  });

  test('passes nothing on that greets another host', async () => {
    await using opened = await egressTo([good(secure)]);
    expect(await secureAnswer(opened, good(secure), 'evil.test')).toBe('');
    expect(opened.refused).toEqual([`evil.test, by way of ${good(secure)}`]);
  });

  test('passes nothing on that greets nobody readably', async () => {
    await using opened = await egressTo([good(echo)]);
    const { socket } = await tunnelTo(opened.socketOf(), good(echo));
    socket.write(Buffer.from([22, 3, 1, 0, 4, 9, 9, 9, 9]));
    expect(await heardFrom(socket)).toBe('');
    expect(opened.refused).toHaveLength(1);
  });

  test('a greeting may come in pieces', async () => {
    await using opened = await egressTo([good(secure)]);
    expect(await secureAnswer(opened, good(secure), 'good.test', 100)).toContain('secure inside');
  });

  test('other protocols pass, and either side may speak first', async () => {
    await using greeter = await onLoopback(createServer((socket) => void socket.end('220 welcome\r\n')));
    await using opened = await egressTo([good(greeter), good(echo)]);
    const first = await tunnelTo(opened.socketOf(), good(greeter));
    expect(await heardFrom(first.socket)).toBe('220 welcome\r\n');
    const second = await tunnelTo(opened.socketOf(), good(echo));
    second.socket.end('hello');
    expect(await heardFrom(second.socket)).toBe('hello');
  });

  test('one side that has ended still hears the other to its end', async () => {
    const much = 'x'.repeat(3_000_000);
    await using opened = await egressTo([good(echo)]);
    const { socket } = await tunnelTo(opened.socketOf(), good(echo));
    socket.end(much);
    expect((await heardFrom(socket)).length).toBe(much.length);
  });

  test('what breaks off on one side breaks off on the other', async () => {
    const accepted: Socket[] = [];
    await using server = await onLoopback(createServer((socket) => void accepted.push(socket.resume())));
    await using opened = await egressTo([good(server)]);
    const { socket } = await tunnelTo(opened.socketOf(), good(server));
    socket.write('x');
    await waitUntil(() => accepted.length === 1, { timeoutMs: 10_000 });
    socket.destroy();
    await waitUntil(() => accepted[0]?.destroyed, { timeoutMs: 10_000 });
    const again = await tunnelTo(opened.socketOf(), good(server));
    await waitUntil(() => accepted.length === 2, { timeoutMs: 10_000 });
    accepted[1]?.resetAndDestroy();
    expect(await heardFrom(again.socket)).toBe('');
  });

  test('after a request that waits for its answer leaves the proxy in order', async () => {
    await using opened = await egressTo([good(plain), good(echo)]);
    const target = good(echo);
    const text = `GET http://${good(plain)}/ HTTP/1.1\r\nHost: x\r\n\r\nCONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const socket = netConnect({ path: opened.socketOf() });
    socket.on('error', () => undefined).end(text);
    await heardFrom(socket);
    expect((await tunnelTo(opened.socketOf(), target)).status).toBe(200);
  });

  test('two hundred connections at once work', async () => {
    await using opened = await egressTo([good(echo)]);
    const heard = await Promise.all(
      Array.from({ length: 200 }, async (_, at) => {
        const { socket } = await tunnelTo(opened.socketOf(), good(echo));
        socket.end(`number ${at}`);
        return heardFrom(socket);
      }),
    );
    expect(heard).toEqual(Array.from({ length: 200 }, (_, at) => `number ${at}`));
  });

  test('connections beyond the bound are closed, and others again let in when some have ended', async () => {
    await using opened = await egressTo([good(echo)]);
    const path = opened.socketOf();
    const open = Array.from({ length: 512 }, () => netConnect({ path }));
    await Promise.all(open.map((socket) => once(socket, 'connect')));
    expect(await answerOf(path, `CONNECT ${good(echo)} HTTP/1.1\r\nHost: x\r\n\r\n`)).toBe('');
    for (const socket of open) socket.destroy();
    await waitUntil(async () => (await answerOf(path, 'CONNECT x HTTP/1.1\r\nHost: x\r\n\r\n')) !== '', {
      timeoutMs: 10_000,
    });
  });
});

describe('names that lead to addresses which are not public', () => {
  test('are refused though the name is allowed', async () => {
    await using opened = await egressTo([good(plain)], []);
    expect((await tunnelTo(opened.socketOf(), good(plain))).status).toBe(403);
    const text = `GET http://${good(plain)}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    expect(await answerOf(opened.socketOf(), text)).toMatch(/^HTTP\/1.1 403/);
    expect(opened.refused).toEqual([`${good(plain)}, which leads to 127.0.0.1`]);
  });

  test.each(['127.0.0.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]'])(
    'are reached by their number where this machine names it too, as %s',
    async (spelling) => {
      const own = [`127.0.0.1:${echo.port}`];
      await using opened = await egressTo(own, own);
      const { status, socket } = await tunnelTo(opened.socketOf(), `${spelling}:${echo.port}`);
      socket.end('hello');
      expect([status, await heardFrom(socket)]).toEqual([200, 'hello']);
    },
  );

  test('are refused by their number too where only a run allows it', async () => {
    await using opened = await egressTo([`127.0.0.1:${echo.port}`], []);
    expect((await tunnelTo(opened.socketOf(), `127.0.0.1:${echo.port}`)).status).toBe(403);
    expect(opened.refused.join()).toContain('127.0.0.1');
  });

  test.each(['127.0.0.1', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost'])(
    'and %s is refused where it is not',
    async (spelling) => {
      await using opened = await egressTo([good(echo)]);
      expect((await tunnelTo(opened.socketOf(), `${spelling}:${echo.port}`)).status).toBe(403);
    },
  );

  test('are left out where a name leads to public ones too', async () => {
    const asked: string[] = [];
    const resolve = async (name: string) => {
      asked.push(name);
      return ['127.0.0.1', '240.0.0.1'];
    };
    await using opened = await openedEgress({ hosts: [good(echo)] }, { resolve });
    expect((await tunnelTo(opened.socketOf(), good(echo))).status).toBe(403);
    expect(asked).toEqual(['good.test']);
  });

  test('a name is looked up once: what was checked is what is connected to', async () => {
    const answers = [['127.0.0.1'], ['127.0.0.2']];
    const resolve = async () => answers.shift() ?? [];
    await using opened = await openedEgress({ hosts: [good(echo)] }, { resolve, trusted: () => [good(echo)] });
    expect((await tunnelTo(opened.socketOf(), good(echo))).status).toBe(200);
    expect(answers).toHaveLength(1);
  });
});

test('what cannot be reached is said', async () => {
  const resolve = async (name: string) => {
    if (name === 'good.test') return ['127.0.0.1'];
    throw Object.assign(new Error('secret detail'), { code: 'ENOTFOUND' });
  };
  await using opened = await openedEgress(
    { hosts: ['good.test:1', 'nowhere.test'] },
    { resolve, trusted: () => ['good.test:1'] },
  );
  const connectTo = (target: string) => answerOf(opened.socketOf(), `CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
  expect(await connectTo('good.test:1')).toMatch(/^HTTP\/1.1 502[^]*good.test:1 cannot be reached: ECONNREFUSED/);
  expect(await connectTo('nowhere.test:443')).toMatch(/^HTTP\/1.1 502[^]*nowhere.test cannot be found: ENOTFOUND/);
  expect(opened.refused).toEqual([]);
});

test('only so many hosts are told, in one printable line each', async () => {
  await using opened = await egressTo([]);
  for (let at = 0; at < 60; at++) await tunnelTo(opened.socketOf(), `h${at}.test:443`);
  expect(opened.refused).toHaveLength(51);
  expect(opened.refused.at(-1)).toBe('further hosts');
  await using another = await egressTo([good(secure)]);
  await secureAnswer(another, good(secure), `\u001b[31m${'x'.repeat(240)}`);
  expect(another.refused.map((text) => text.length <= 200 && !text.includes('\u001b'))).toEqual([true]);
});

/** What a client hears that asks for one host and greets another, or the same; nothing where the tunnel is closed. */
async function secureAnswer(opened: OpenedEgress, target: string, servername: string, pieces = 0): Promise<string> {
  const { status, socket } = await tunnelTo(opened.socketOf(), target);
  expect(status).toBe(200);
  if (pieces > 0) inPieces(socket, pieces);
  const client = tlsConnect({ socket, servername, ca: certificate.cert, checkServerIdentity: () => undefined });
  client.write('GET / HTTP/1.1\r\nHost: inside\r\nConnection: close\r\n\r\n');
  return heardFrom(client);
}

/** Has the first bytes sent a few at a time. */
function inPieces(socket: Socket, size: number): void {
  const write = socket._write.bind(socket);
  socket._writev = null as unknown as NonNullable<Socket['_writev']>;
  socket._write = (chunk: Buffer, encoding, done) => {
    if (chunk.length <= size) return write(chunk, encoding, done);
    write(chunk.subarray(0, size), encoding, (error) => {
      if (error) done(error);
      else setImmediate(() => socket._write(chunk.subarray(size), encoding, done));
    });
  };
}
