import { expect, test } from 'vitest';
import { waitUntil } from '../../lib/wait-until.ts';
import { type Answer, gatewayFixture } from './fixture/gateway-fixture.ts';

/** What is known when a way has ended. */

const begins: Answer = (_arrived, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('data: {"type":"response.created","response":{"model":"known"}}\n\n');
};

test.each([
  ['on a port', undefined],
  ['on a socket', 4180],
])('when a way %s is closed, all calls that it has cut have been told', async (_where, bridgedPort) => {
  await using at = await gatewayFixture(begins, bridgedPort === undefined ? {} : { bridgedPort });
  const begun = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const asked = begun.map(({ resolve }) =>
    at.ask({
      onPiece() {
        resolve();
        return undefined;
      },
    }),
  );
  await Promise.all(begun.map(({ promise }) => promise));
  await at.way[Symbol.asyncDispose]();
  const told = at.meter.calls.map(({ outcome, estimated }) => ({ outcome, estimated }));
  expect(told).toEqual(Array.from({ length: 5 }, () => ({ outcome: 'cut', estimated: true })));
  for (const one of await Promise.all(asked)) expect(one.wasCut).toBe(true);
  expect(at.meter.calls).toHaveLength(5);
});

test('one that nobody has answered yet is told as well; one that still waits to be let in was never sent, and is not', async () => {
  await using at = await gatewayFixture(() => undefined);
  const failing = async (asked: Promise<unknown>) => expect(asked).rejects.toThrow();
  const sent = failing(at.ask());
  await waitUntil(async () => at.arrived.length === 1, { timeoutMs: 5_000, what: 'the request to arrive' });
  const asking = Promise.withResolvers<void>();
  at.meter.admission = async (_upstream, signal) => {
    asking.resolve();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return { kind: 'admitted' };
  };
  const waiting = failing(at.ask());
  await asking.promise;
  await at.way[Symbol.asyncDispose]();
  expect(at.meter.calls).toMatchObject([{ outcome: 'cut', status: null, estimated: true }]);
  await Promise.all([sent, waiting]);
  expect(at.arrived).toHaveLength(1);
});

test('a way on which nothing is under way is closed at once, with what was answered told', async () => {
  await using at = await gatewayFixture((_arrived, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"model":"known","output":[],"usage":{"input_tokens":1,"output_tokens":1}}');
  });
  await at.ask();
  await at.way[Symbol.asyncDispose]();
  expect(at.meter.calls).toMatchObject([{ outcome: 'answered' }]);
});
