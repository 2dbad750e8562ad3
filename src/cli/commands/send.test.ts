import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunState } from '../../domain/run.ts';
import { waitUntil } from '../../lib/wait-until.ts';
import { type TestContext, testContext } from '../fixture/context.ts';
import { FakeServer } from '../fixture/server.ts';
import { execute } from '../main.ts';

const QUEUED = 'It is delivered when the present turn of implement #1 ends.';

async function serverOf(context: TestContext): Promise<FakeServer> {
  const server = await new FakeServer(context.socket).listen();
  server.handlers.sendToRun = (request) => ({
    schema: 1,
    run: server.run.id,
    message: request.id ?? 'none',
    state: request.now ? 'delivering' : 'queued',
    text: QUEUED,
  });
  return server;
}
const sent = (server: FakeServer) =>
  server.calls
    .filter(({ name }) => name === 'sendToRun')
    .map(({ request }) => request as { id: string; text: string; now: boolean });

test('what is said comes from the command line, a file or standard input; each has a name of its own', async () => {
  await using context = await testContext();
  await using server = await serverOf(context);
  await writeFile(join(context.home, 'notes.md'), 'from a file');
  context.stdin.end('from a pipe');
  expect(await execute(context, ['send', '@last', 'in quotes'])).toBe(0);
  expect(await execute(context, ['send', '@last', '--file', 'notes.md', '--now'])).toBe(0);
  expect(await execute(context, ['send', '@last', '-'])).toBe(0);
  expect(sent(server).map(({ text, now }) => [text, now])).toEqual([
    ['in quotes', false],
    ['from a file', true],
    ['from a pipe', false],
  ]);
  expect(new Set(sent(server).map(({ id }) => id)).size).toBe(3);
  expect(context.out()).toContain(`» queued: ${QUEUED}`);
});

test('nothing, or two things, is refused before anything is asked', async () => {
  await using context = await testContext();
  await using server = await serverOf(context);
  expect(await execute(context, ['send', '@last'])).toBe(2);
  expect(await execute(context, ['send', '@last', 'x', '--file', 'y'])).toBe(2);
  expect(context.err()).toContain('There is no message.');
  expect(context.err()).toContain('The message is given twice');
  expect(server.calls).toEqual([]);
});

test('--wait follows the run until that very message was delivered', async () => {
  await using context = await testContext();
  await using server = await serverOf(context);
  const ending = execute(context, ['send', '@last', 'x', '--wait', '--json']);
  const { id } = await waitUntil(() => sent(server)[0], { timeoutMs: 5_000 });
  const delivered = (message: string) =>
    server.append({
      kind: 'message',
      level: 'info',
      text: 'Given.',
      node: 'implement',
      n: 1,
      sent: { id: message, state: 'delivered' },
    });
  delivered('another');
  server.append({ kind: 'message', level: 'info', text: 'x', sent: { id, state: 'queued' } });
  delivered(id);
  expect(await ending).toBe(0);
  const [answer, told] = context
    .out()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(answer).toMatchObject({ schema: 1, message: id, state: 'queued' });
  expect(told).toEqual({ schema: 1, run: server.run.id, message: id, state: 'delivered', node: 'implement', n: 1 });
});

const STOPPED: readonly [RunState, number][] = [
  [{ kind: 'cancelled' }, 6],
  [{ kind: 'succeeded', end: 'done' }, 1],
];

test.each(STOPPED)('--wait ends with a run that stops before it was delivered: %j', async (state, code) => {
  await using context = await testContext();
  await using server = await serverOf(context);
  const ending = execute(context, ['send', '@last', 'x', '--wait']);
  await waitUntil(() => sent(server)[0], { timeoutMs: 5_000 });
  server.become(state, { kind: 'run.ended', state });
  expect(await ending).toBe(code);
});

test('--wait is left with Ctrl-C', async () => {
  await using context = await testContext();
  await using server = await serverOf(context);
  let code: number | undefined;
  void execute(context, ['send', '@last', 'x', '--wait']).then((ended) => {
    code = ended;
  });
  await context.shows('» queued');
  await waitUntil(
    () => {
      context.interrupt();
      return code !== undefined;
    },
    { timeoutMs: 5_000, what: 'the command to be left' },
  );
  expect(code).toBe(130);
  expect(sent(server)).toHaveLength(1);
});
