import { createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { waitUntil } from '../../lib/wait-until.ts';
import { gatewayFixture } from './fixture/gateway-fixture.ts';

/** What a request counts for whose connection to the provider breaks, and whether it is sent again. */

const BODY = JSON.stringify({ model: 'known', input: 'word '.repeat(2_000) });
const ANSWER = JSON.stringify({ model: 'known', output: [], usage: { input_tokens: 10, output_tokens: 5 } });

/** An upstream that says by hand what becomes of the connection of each request, once all of it is there. */
async function upstream(onRequest: (socket: Socket, count: number) => void) {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (piece: Buffer) => {
      text += piece.toString();
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (end === -1 || text.length < end + 4 + length) return;
      text = '';
      onRequest(socket, (count += 1));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    baseUrl: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/v1`,
    count: () => count,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const answer = (socket: Socket): void =>
  void socket.write(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${ANSWER.length}\r\n\r\n${ANSWER}`,
  );

/** A clock that a test can put forward. */
function ownClock() {
  let later = 0;
  return {
    now: () => Date.now() + later,
    sleep: () => Promise.resolve(),
    putForward: (ms: number) => {
      later += ms;
    },
  };
}

test('a connection that was kept open and is closed at once is taken for one that was closed before: sent again', async () => {
  await using to = await upstream((socket, count) => (count === 2 ? socket.resetAndDestroy() : answer(socket)));
  await using at = await gatewayFixture(() => undefined, { endpoint: { baseUrl: to.baseUrl }, clock: ownClock() });
  expect((await at.ask({ body: BODY })).status).toBe(200);
  expect((await at.ask({ body: BODY })).status).toBe(200);
  expect(to.count()).toBe(3);
  expect(at.meter.calls).toMatchObject([{ outcome: 'answered' }, { outcome: 'answered' }]);
});

test('one that is closed after a while has been worked on: it is not sent again, and what it read counts', async () => {
  const clock = ownClock();
  await using to = await upstream((socket, count) => {
    if (count === 1) return answer(socket);
    clock.putForward(2_000);
    socket.resetAndDestroy();
  });
  await using at = await gatewayFixture(() => undefined, { endpoint: { baseUrl: to.baseUrl }, clock });
  expect((await at.ask({ body: BODY })).status).toBe(200);
  const answered = await at.ask({ body: BODY });
  expect(answered.status).toBe(502);
  expect(answered.text).toContain('cannot be reached');
  expect(to.count()).toBe(2);
  await waitUntil(async () => at.meter.calls.length === 2, { timeoutMs: 5_000, what: 'both calls to be told' });
  expect(at.meter.calls[1]).toMatchObject({
    status: null,
    outcome: 'cut',
    estimated: true,
    tokens: { input: Math.ceil(BODY.length / 4), output: 0 },
  });
  expect(at.meter.calls[1]?.cost).toBeGreaterThan(0);
});

test('what was sent on a new connection counts, though it breaks before an answer begins; what could not be sent does not', async () => {
  await using to = await upstream((socket) => socket.resetAndDestroy());
  await using at = await gatewayFixture(() => undefined, { endpoint: { baseUrl: to.baseUrl } });
  expect((await at.ask({ body: BODY })).status).toBe(502);
  expect(to.count()).toBe(1);
  expect(at.meter.calls).toMatchObject([{ outcome: 'cut', estimated: true, tokens: { output: 0 } }]);
  await using nowhere = await gatewayFixture(() => undefined, { endpoint: { baseUrl: 'http://127.0.0.1:1/v1' } });
  expect((await nowhere.ask({ body: BODY })).status).toBe(502);
  expect(nowhere.meter.calls).toMatchObject([{ outcome: 'failed', estimated: false, tokens: null, cost: null }]);
});
