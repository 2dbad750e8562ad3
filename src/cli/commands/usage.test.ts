import { expect, test } from 'vitest';
import { testContext } from '../fixture/context.ts';
import { FakeServer } from '../fixture/server.ts';
import { someFacts, someReport } from '../fixture/usage.ts';
import { execute } from '../main.ts';

const DAY_MS = 24 * 60 * 60_000;

test('usage without a run asks for the last 30 days', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket, { usage: () => someReport() }).listen();
  expect(await execute(context, ['usage'])).toBe(0);
  expect(context.out()).toContain('ada');
  const asked = server.calls[0]?.request;
  expect(asked).toEqual({ since: expect.any(String) as string });
  const since = Date.parse((asked as { since: string }).since);
  expect(Math.round((Date.now() - since) / DAY_MS)).toBe(30);
});

test('usage of one run asks for all of it', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket, { usage: () => someReport() }).listen();
  expect(await execute(context, ['usage', '@last', '--by', 'model'])).toBe(0);
  expect(server.calls[0]?.request).toEqual({ run: '@last', by: 'model' });
});

test('a period is written as how long ago, or as dates in UTC', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket, { usage: () => someReport() }).listen();
  expect(await execute(context, ['usage', '--since', '2026-11-20', '--until', '2026-11-27 18:30'])).toBe(0);
  expect(server.calls[0]?.request).toEqual({ since: '2026-11-20T00:00:00.000Z', until: '2026-11-27T18:30:00.000Z' });
  expect(await execute(context, ['usage', '--until', '2026-11-27T18:30:01Z'])).toBe(0);
  expect(server.calls[1]?.request).toEqual({ until: '2026-11-27T18:30:01.000Z' });
});

test.each([
  [['--since', 'soon'], '--since "soon" is no moment.'],
  [['--since', '2026-13-40'], '--since "2026-13-40" is no moment.'],
  [['--until', '27.11.2026'], '--until "27.11.2026" is no moment.'],
  [['--by', 'month'], 'Nothing is counted by "month".'],
  [['--csv', '--json'], 'cannot be used with'],
])('usage %j is refused', async (options, message) => {
  await using context = await testContext();
  expect(await execute(context, ['usage', ...options])).toBe(2);
  expect(context.err()).toContain(message);
});

test('usage --json is the report as it is', async () => {
  await using context = await testContext();
  await using _server = await new FakeServer(context.socket, { usage: () => someReport() }).listen();
  expect(await execute(context, ['usage', '--json'])).toBe(0);
  expect(JSON.parse(context.out())).toEqual(someReport());
});

test('usage --csv writes rows for programs', async () => {
  await using context = await testContext();
  await using _server = await new FakeServer(context.socket, { usage: () => someReport() }).listen();
  expect(await execute(context, ['usage', '--csv'])).toBe(0);
  const lines = context.out().split('\r\n');
  expect(lines[0]).toMatch(/^person,id,run,calls,/);
  expect(lines[1]).toMatch(/^ada,ada,,12,0,123400,/);
  expect(lines).toHaveLength(3);
  expect(context.err()).toBe('');
});

test('that there is nothing is said; in CSV it stands beside the empty table', async () => {
  await using context = await testContext();
  const empty = someReport({ rows: [], total: someFacts({ calls: 0, cost: null }) });
  await using _server = await new FakeServer(context.socket, { usage: () => empty }).listen();
  expect(await execute(context, ['usage'])).toBe(0);
  expect(context.out()).toContain('No call to a model went through the gateway');
  expect(await execute(context, ['usage', '--csv'])).toBe(0);
  expect(context.out().trimEnd().split('\n').at(-1)).toMatch(/^person,id/);
  expect(context.err()).toContain('No call to a model went through the gateway');
});
