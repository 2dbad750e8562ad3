import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import type { Service } from '../../domain/service.ts';
import type { SwitchyardError } from '../../lib/error.ts';
import { waitUntil } from '../../lib/wait-until.ts';
import type { Bridge, Sandbox } from '../../ports/sandbox.ts';
import { type LoneNetwork, loneNetwork } from '../../testing/lone-network.ts';
import { plainSandbox } from '../../testing/plain-sandbox.ts';
import { tempFolder, writeFiles } from '../../testing/temp-repository.ts';
import { createServices, type Services, type ServicesParts, withServices } from './services.ts';

const walls = await loneNetwork();
const without = 'bubblewrap and socat cannot give a program a network of its own here';
const env = { PATH: process.env['PATH'] ?? '' };

/** Says its name and the first line that it was told, to whoever connects. */
const ECHO = `
import { createServer } from 'node:net';
const [port, name = 'echo', host = '127.0.0.1'] = process.argv.slice(2);
const server = createServer({ allowHalfOpen: true }, async (socket) => {
  socket.on('error', () => undefined);
  let all = '';
  for await (const chunk of socket) all += chunk;
  socket.end(name + ' heard ' + all);
});
server.listen(Number(port), host, () => console.log('listening'));
`;

/** Says what it is told to the port and prints the answer. */
const ASK = `
import { connect } from 'node:net';
const [port, ...words] = process.argv.slice(2);
const socket = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
socket.on('error', (error) => { console.log(error.code); process.exit(1); });
socket.end(words.join(' '));
socket.pipe(process.stdout);
`;

interface Place {
  readonly folder: string;
  readonly temporary: string;
  readonly told: SwitchyardError[];
  make(services: readonly Partial<Service>[], more?: Partial<ServicesParts>): Services;
  /** A program of the run's that may use the services. */
  ask(services: Services, port: number, ...words: string[]): Promise<string>;
}

async function place(own: LoneNetwork | undefined): Promise<Place> {
  const temp = await tempFolder('sy');
  onTestFinished(() => temp[Symbol.asyncDispose]());
  await writeFiles(temp.path, {
    'tree/echo.mjs': ECHO,
    'tree/ask.mjs': ASK,
    'tree/sub/echo.mjs': ECHO,
    'sockets/x': '',
  });
  const folder = `${temp.path}/tree`;
  const temporary = `${temp.path}/sockets`;
  const told: SwitchyardError[] = [];
  const sandboxWith = (bridges: readonly Bridge[]): Sandbox => own?.(temp.path, bridges) ?? plainSandbox();
  return {
    folder,
    temporary,
    told,
    make(services, more = {}) {
      const made = createServices({
        declared: services.map((service) => ({ ...DEFAULTS, ...service })),
        temporary,
        folder,
        env,
        sandboxWith,
        ownLoopback: own !== undefined,
        signal: new AbortController().signal,
        onEnded: (failure) => void told.push(failure),
        ...more,
      });
      onTestFinished(() => made[Symbol.asyncDispose]());
      return made;
    },
    async ask(services, port, ...words) {
      const lazy: Sandbox = { ...plainSandbox(), spawn: (program) => sandboxWith(services.bridges).spawn(program) };
      await using asking = await withServices(lazy, services, 'programs').spawn({
        argv: [process.execPath, 'ask.mjs', String(port), ...words],
        cwd: folder,
        env,
      });
      asking.stderr.resume();
      const answer = await text(asking.stdout);
      await asking.exited;
      return answer;
    },
  };
}

const DEFAULTS: Service = { name: 'db', run: '', port: 0, timeoutMs: 20_000, stopMs: 500 };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const echo = (port: number, name: string, host = '127.0.0.1'): string =>
  `'${process.execPath}' echo.mjs ${port} ${name} ${host}`;

test('a program in walls of its own reaches a service in other walls, by its port', async ({ skip }) => {
  if (walls === undefined) skip(without);
  const at = await place(walls);
  await using services = at.make([{ run: echo(5432, 'db'), port: 5432 }]);
  expect(await at.ask(services, 5432, 'hello')).toBe('db heard hello');
  const many = await Promise.all(Array.from({ length: 12 }, (_, n) => at.ask(services, 5432, `n${n}`)));
  expect(many).toEqual(Array.from({ length: 12 }, (_, n) => `db heard n${n}`));
}, 60_000);

test('nothing else of the service is reached, and a run without services has no such port', async ({ skip }) => {
  if (walls === undefined) skip(without);
  const at = await place(walls);
  await using services = at.make([{ run: `${echo(5433, 'hidden')} & ${echo(5432, 'db')}`, port: 5432 }]);
  expect(await at.ask(services, 5432, 'x')).toBe('db heard x');
  expect(await at.ask(services, 5433, 'x')).toBe('ECONNREFUSED\n');
  await using none = at.make([]);
  expect(await at.ask(none, 5432, 'x')).toBe('ECONNREFUSED\n');
}, 60_000);

test('two runs have services on the same port, each its own', async ({ skip }) => {
  if (walls === undefined) skip(without);
  const at = await place(walls);
  await using one = at.make([{ run: echo(5432, 'one'), port: 5432 }]);
  await using two = at.make([{ run: echo(5432, 'two'), port: 5432 }]);
  const said = await Promise.all([at.ask(one, 5432, 'x'), at.ask(two, 5432, 'x')]);
  expect(said).toEqual(['one heard x', 'two heard x']);
}, 60_000);

test('a service that listens on ::1 alone is reached as well, and one is started in its path', async ({ skip }) => {
  if (walls === undefined) skip(without);
  const at = await place(walls);
  await using services = at.make([
    { run: `test "$(basename "$PWD")" = sub && ${echo(3000, 'web', '::1')}`, port: 3000, path: 'sub' },
  ]);
  expect(await at.ask(services, 3000, 'x')).toBe('web heard x');
}, 60_000);

test('a service finds those declared before it, and one for after setup is not there during setup', async ({
  skip,
}) => {
  if (walls === undefined) skip(without);
  const at = await place(walls);
  const needsDb = `'${process.execPath}' ask.mjs 5432 web | grep -q heard && ${echo(3000, 'web')}`;
  await using services = at.make([
    { run: echo(5432, 'db'), port: 5432 },
    { name: 'web', run: needsDb, port: 3000, after: 'setup' },
  ]);
  await services.ready('setup');
  expect(services.bridges.map(({ port }) => port)).toEqual([5432]);
  expect(await at.ask(services, 3000, 'x')).toBe('web heard x');
}, 60_000);

test('a service is ready when its ready command succeeds, not before', async ({ skip }) => {
  if (walls === undefined) skip(without);
  const at = await place(walls);
  const ready = `test -e seen && test -e twice || { test -e seen && touch twice; touch seen; echo not yet; exit 1; }`;
  await using services = at.make([{ run: echo(5432, 'db'), port: 5432, ready }]);
  await services.ready('setup');
  expect(await readdir(at.folder)).toEqual(expect.arrayContaining(['seen', 'twice']));
}, 60_000);

test('one that is not ready in time is refused with the last lines of its output, and nothing of it is left', async () => {
  const at = await place(undefined);
  const port = await freePort();
  await using services = at.make([
    { run: `echo starting; echo password=hunter2; touch at-work; sleep 1000`, port, timeoutMs: 700 },
  ]);
  const refused = services.ready('setup');
  await expect(refused).rejects.toMatchObject({
    code: 'service/not-ready',
    message: expect.stringMatching(
      /not ready within 0\.7 s: nothing answered on port \d+\. Its last lines:\nstarting\npassword=\[hidden\]$/,
    ),
  });
  await expect(services.ready('programs')).rejects.toMatchObject({ code: 'service/not-ready' });
}, 60_000);

test('a ready command that fails says why the service is of no use', async () => {
  const at = await place(undefined);
  const port = await freePort();
  await using services = at.make([
    { run: echo(port, 'db'), port, ready: 'echo no such role; exit 2', timeoutMs: 1500 },
  ]);
  await expect(services.ready('setup')).rejects.toMatchObject({
    code: 'service/not-ready',
    message: expect.stringContaining('its `ready` command did not succeed: no such role'),
  });
}, 60_000);

test('one that ends before it is ready is refused at once', async () => {
  const at = await place(undefined);
  await using services = at.make([{ run: 'echo no such file >&2; exit 3', port: await freePort(), timeoutMs: 60_000 }]);
  await expect(services.ready('programs')).rejects.toMatchObject({
    code: 'service/ended',
    message: 'The service db ended with 3. Its last lines:\nno such file',
  });
  expect(at.told).toEqual([]);
}, 60_000);

test('one that dies later is told once, and nothing more is started beside it', async ({ skip }) => {
  if (walls === undefined) skip(without);
  const at = await place(walls);
  const run = `${echo(5432, 'db')} & while ! test -e die; do sleep 0.02; done; echo out of memory; exit 9`;
  await using services = at.make([{ run, port: 5432 }]);
  expect(await at.ask(services, 5432, 'x')).toBe('db heard x');
  await writeFiles(at.folder, { die: '' });
  await waitUntil(() => at.told.length > 0, { timeoutMs: 10_000 });
  expect(at.told).toEqual([
    expect.objectContaining({ code: 'service/ended', message: expect.stringContaining('out of memory') }),
  ]);
  await expect(at.ask(services, 5432, 'x')).rejects.toMatchObject({ code: 'service/ended' });
}, 60_000);

test('they are told to end before they are ended, the last one first', async () => {
  const at = await place(undefined);
  const run = (name: string, port: number) =>
    `trap 'echo ${name} >>../sockets/x; exit 0' INT; ${echo(port, name)} & while :; do sleep 0.02; done`;
  const [one, two] = [await freePort(), await freePort()];
  {
    await using services = at.make([
      { name: 'one', run: run('one', one), port: one, stopMs: 5000 },
      { name: 'two', run: run('two', two), port: two, stopMs: 5000 },
    ]);
    await services.ready('programs');
  }
  expect(await readFile(`${at.temporary}/x`, 'utf8')).toBe('two\none\n');
  expect(at.told).toEqual([]);
}, 60_000);

test('nothing of them is left when they are disposed, and no socket', async ({ skip }) => {
  if (walls === undefined) skip(without);
  const at = await place(walls);
  await using services = at.make([{ run: echo(5432, 'db'), port: 5432, stopMs: 0 }]);
  await services.ready('programs');
  expect(await readdir(at.temporary)).toHaveLength(2);
  await services[Symbol.asyncDispose]();
  expect(await readdir(at.temporary)).toEqual(['x']);
  expect(at.told).toEqual([]);
}, 60_000);

test('an aborted wait ends the service and gives the reason', async () => {
  const at = await place(undefined);
  const stop = new AbortController();
  await using services = at.make([{ run: 'touch at-work; sleep 1000', port: await freePort() }], {
    signal: stop.signal,
  });
  const waiting = services.ready('setup').catch((error: unknown) => error);
  await waitUntil(async () => (await readdir(at.folder)).includes('at-work'), { timeoutMs: 10_000 });
  stop.abort(new Error('enough'));
  expect(await waiting).toMatchObject({ message: 'enough' });
}, 60_000);

test('where the loopback is the machine’s, a port that is in use is refused, by whomever', async () => {
  const at = await place(undefined);
  const port = await freePort();
  await using first = at.make([{ run: echo(port, 'first'), port }]);
  expect(await at.ask(first, port, 'x')).toBe('first heard x');
  await using second = at.make([{ run: echo(port, 'second'), port }]);
  await expect(second.ready('setup')).rejects.toMatchObject({
    code: 'service/port-taken',
    message: expect.stringContaining('by another run'),
  });
  await first[Symbol.asyncDispose]();
  await using third = at.make([{ run: echo(port, 'third'), port }]);
  expect(await at.ask(third, port, 'x')).toBe('third heard x');
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  await using fourth = at.make([{ run: 'sleep 1000', port: address.port }]);
  await expect(fourth.ready('setup')).rejects.toMatchObject({ code: 'service/port-taken' });
  other.close();
}, 60_000);

test('a run without services starts nothing and makes no folder', async () => {
  const at = await place(undefined);
  await using services = at.make([]);
  await services.ready('programs');
  expect(services.bridges).toEqual([]);
  expect(await readdir(at.temporary)).toEqual(['x']);
});
