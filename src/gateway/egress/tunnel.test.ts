import { once } from 'node:events';
import { createServer, connect as netConnect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitUntil } from '../../lib/wait-until.ts';
import { answerOf, heardFrom, type OpenedEgress, onLoopback, tunnelTo } from './fixture/egress-fixture.ts';
import { egressTo, evil, good, type TestHosts, testHosts } from './fixture/test-hosts.ts';

let hosts: TestHosts;
let plain: TestHosts['plain'];
let secure: TestHosts['secure'];
let echo: TestHosts['echo'];

beforeAll(async () => {
  hosts = await testHosts();
  ({ plain, secure, echo } = hosts);
});

afterAll(() => hosts[Symbol.asyncDispose]());

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
  const client = tlsConnect({ socket, servername, ca: hosts.certificate.cert, checkServerIdentity: () => undefined });
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
