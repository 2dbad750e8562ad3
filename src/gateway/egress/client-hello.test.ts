import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { readGreeting } from './client-hello.ts';

/** What a real client says first. */
async function greetingOf(servername: string | undefined): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const { port } = server.address() as { port: number };
  const client = connect({ host: '127.0.0.1', port, ...(servername === undefined ? {} : { servername }) });
  client.on('error', () => undefined);
  const [socket] = await accepted;
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  client.destroy();
  server.close();
  return bytes;
}

let hello: Buffer;

beforeAll(async () => {
  hello = await greetingOf('Shop.Example.com');
});

test('a client in TLS names its server', () => {
  expect(readGreeting(hello)).toEqual({ kind: 'hello', serverName: 'shop.example.com' });
});

test('a client that names none is understood too', async () => {
  expect(readGreeting(await greetingOf(undefined))).toEqual({ kind: 'hello', serverName: undefined });
});

test('what is no TLS is something else', () => {
  expect(readGreeting(Buffer.from('GET / HTTP/1.1\r\n'))).toEqual({ kind: 'other' });
  expect(readGreeting(Buffer.from('SSH-2.0-x\r\n'))).toEqual({ kind: 'other' });
});

test('every beginning of a greeting is incomplete', () => {
  fc.assert(
    fc.property(fc.nat(hello.length - 1), (length) => {
      expect(readGreeting(hello.subarray(0, length))).toEqual({ kind: 'incomplete' });
    }),
  );
});

test('a greeting in several records is put together', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 6, max: hello.length - 1 }), { maxLength: 20 }), (cuts) => {
      expect(readGreeting(inRecords(hello, cuts))).toEqual({ kind: 'hello', serverName: 'shop.example.com' });
    }),
  );
});

describe('is malformed', () => {
  test('a greeting in more records than any client makes', () => {
    const cuts = Array.from({ length: 40 }, (_, at) => 6 + at);
    expect(readGreeting(inRecords(hello, cuts))).toEqual({ kind: 'malformed' });
  });

  test('a record that is no handshake of TLS', () => {
    expect(readGreeting(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]))).toEqual({ kind: 'malformed' });
    expect(readGreeting(Buffer.from([22, 1]))).toEqual({ kind: 'malformed' });
    expect(readGreeting(Buffer.from([22, 3, 1, 0, 0]))).toEqual({ kind: 'malformed' });
  });

  test('a second name', () => {
    expect(readGreeting(twiceNamed('good.example', 'evil.example'))).toEqual({ kind: 'malformed' });
    expect(readGreeting(twiceNamed('good.example'))).toEqual({ kind: 'hello', serverName: 'good.example' });
  });
});

test('no bytes whatever make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(hello.length - 1), (noise, at) => {
      const spoilt = Buffer.concat([hello.subarray(0, at), noise, hello.subarray(at)]);
      expect(['incomplete', 'hello', 'malformed']).toContain(readGreeting(spoilt.fill(22, 0, 1)).kind);
    }),
  );
});

/** The same message, cut into records at these places of the one that it came in. */
function inRecords(record: Buffer, cuts: readonly number[]): Buffer {
  const edges = [5, ...cuts.toSorted((one, other) => one - other), record.length];
  return Buffer.concat(
    edges.slice(1).flatMap((end, at) => {
      const piece = record.subarray(edges[at], end);
      return [Buffer.from([22, 3, 1, piece.length >> 8, piece.length & 255]), piece];
    }),
  );
}

function twiceNamed(...names: readonly string[]): Buffer {
  const sized = (size: number, ...parts: Buffer[]): Buffer => {
    const body = Buffer.concat(parts);
    const length = Buffer.alloc(size);
    length.writeUIntBE(body.length, 0, size);
    return Buffer.concat([length, body]);
  };
  const extensions = names.map((name) =>
    Buffer.concat([Buffer.from([0, 0]), sized(2, sized(2, Buffer.from([0]), sized(2, Buffer.from(name))))]),
  );
  const body = Buffer.concat([
    Buffer.alloc(34, 3),
    sized(1),
    sized(2, Buffer.from([19, 1])),
    sized(1, Buffer.from([0])),
    sized(2, ...extensions),
  ]);
  return Buffer.concat([Buffer.from([22, 3, 1]), sized(2, Buffer.from([1]), sized(3, body))]);
}
