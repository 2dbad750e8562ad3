import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { NetworkAccess, Sandbox, SandboxProgram, Walls } from '../../ports/sandbox.ts';
import { PATH, reader, run, script } from './program.ts';
import { type EnclosedWorkspace, enclosedWorkspace, SHUT } from './workspace.ts';

/** What programs reach where the walls bound the network. */
export function enclosedNetworkCases(walls: Walls): void {
  test('without a network nothing of the host is reached, and a loopback is there', async () => {
    await using workspace = await enclosedWorkspace();
    await using host = await listening(echo, { port: 0, host: '127.0.0.1' });
    const { port } = host.server.address() as AddressInfo;
    expect(await said(walls.enclose(workspace.enclosure()), workspace, port)).toBe('ECONNREFUSED\n');
    expect(await said(walls.enclose(workspace.enclosure({ kind: 'open' })), workspace, port)).toBe('hello\n');
    const own = await run(walls.enclose(workspace.enclosure()), node(OWN_LOOPBACK, workspace));
    expect(own.stdout).toBe('own\n');
  });

  test('a bridge leads from a port to its socket, and other ports lead nowhere', async () => {
    await using workspace = await enclosedWorkspace();
    await using bridged = await twoBridges(workspace);
    const sandbox = walls.enclose(workspace.enclosure(bridged.network));
    expect(await said(sandbox, workspace, 4001)).toBe('hello\n');
    expect(await said(sandbox, workspace, 4002)).toBe('HELLO\n');
    expect(await said(sandbox, workspace, 4003)).toBe('ECONNREFUSED\n');
    expect(await said(walls.enclose(workspace.enclosure(SHUT)), workspace, 4001)).toBe('ECONNREFUSED\n');
  });

  test('a bridge carries much, both ways at once, over many connections, and closes each half on its own', async () => {
    await using workspace = await enclosedWorkspace();
    await using bridged = await twoBridges(workspace);
    const result = await run(walls.enclose(workspace.enclosure(bridged.network)), node(MUCH, workspace));
    expect(result).toMatchObject({ code: 0, stdout: `${JSON.stringify(Array(20).fill(MUCH_BYTES))}\n` });
  });

  test('a connection to a socket that nobody serves ends', async () => {
    await using workspace = await enclosedWorkspace();
    const bridged = await twoBridges(workspace);
    await bridged[Symbol.asyncDispose]();
    const again = await listening(echo, { path: join(workspace.root, '1.sock') });
    const sandbox = walls.enclose(workspace.enclosure(bridged.network));
    await using running = await sandbox.spawn(
      node(`process.stdin.once('end', () => {}).resume(); ${talk(4001)}`, workspace),
    );
    running.stderr.resume();
    await again[Symbol.asyncDispose]();
    expect(['', 'hello\n', 'ECONNRESET\n']).toContain(await text(running.stdout));
  });

  test('over bridges a program is what it is without them', async () => {
    await using workspace = await enclosedWorkspace();
    await using bridged = await twoBridges(workspace);
    const env = { PATH, PLAIN: 'x', EMPTY: '', PERL5OPT: '-MNo::Such', NODE_OPTIONS: '--no-such-option' };
    const cwd = workspace.tree;
    const sandbox = walls.enclose(workspace.enclosure(bridged.network));
    const seen = await run(sandbox, { argv: ['env', '-0'], cwd, env });
    expect(seen.stdout.split('\0').filter(Boolean).toSorted()).toEqual(
      Object.entries({ ...env, PWD: '/workspace' })
        .map((pair) => pair.join('='))
        .toSorted(),
    );
    expect(await run(sandbox, script('cat; exit 3', { cwd, input: 'given' }))).toMatchObject({
      code: 3,
      stdout: 'given',
    });
    expect(await run(sandbox, script('kill -TERM $$', { cwd }))).toMatchObject({ code: null, signal: 'SIGTERM' });
    const facts = await run(
      sandbox,
      script('ls /proc/self/fd | wc -l; cat /proc/$$/task/$$/children; tr "\\0" " " </proc/$$/cmdline', { cwd }),
    );
    expect(facts.stdout).not.toContain('bridge');
  });

  test('over bridges signals reach the program', async () => {
    await using workspace = await enclosedWorkspace();
    await using bridged = await twoBridges(workspace);
    const code = "trap 'echo asked; exit 5' INT; echo up; while :; do sleep 0.01; done";
    const sandbox = walls.enclose(workspace.enclosure(bridged.network));
    await using running = await sandbox.spawn(script(code, { cwd: workspace.tree }));
    running.stderr.resume();
    const next = reader(running);
    expect(await next()).toBe('up');
    const stopped = running.stop(20_000);
    expect(await next()).toBe('asked');
    running.stdout.resume();
    await stopped;
    expect(await running.exited).toMatchObject({ code: 5 });
  });
}

interface Listening extends AsyncDisposable {
  readonly server: Server;
}

async function listening(serve: (socket: Socket) => void, where: object): Promise<Listening> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => open.delete(socket));
    serve(socket);
  });
  server.listen(where);
  await once(server, 'listening');
  return {
    server,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** An answer to the whole of what was said: it ends only when the other side has. */
function echo(socket: Socket): void {
  void text(socket).then(
    (said) => socket.end(said),
    () => undefined,
  );
}

function shout(socket: Socket): void {
  void text(socket).then(
    (said) => socket.end(said.toUpperCase()),
    () => undefined,
  );
}

async function twoBridges({ root }: EnclosedWorkspace): Promise<AsyncDisposable & { readonly network: NetworkAccess }> {
  await using stack = new AsyncDisposableStack();
  const bridges = [4001, 4002].map((port) => ({ port, socket: join(root, `${port - 4000}.sock`) }));
  for (const [index, { socket }] of bridges.entries()) {
    stack.use(await listening(index === 0 ? echo : shout, { path: socket }));
  }
  const owned = stack.move();
  return { network: { kind: 'bridged', bridges }, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function said(sandbox: Sandbox, workspace: EnclosedWorkspace, port: number): Promise<string> {
  return (await run(sandbox, node(talk(port), workspace))).stdout;
}

function node(code: string, { tree }: EnclosedWorkspace): SandboxProgram {
  return { argv: [process.execPath, '-e', code], cwd: tree, env: { PATH } };
}

/** Says hello, then closes its half; writes the answer, or why there is none. */
function talk(port: number): string {
  return `
    const socket = require('node:net').connect({ port: ${port}, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', ({ code }) => console.log(code));
    socket.on('data', (data) => console.log(data.toString()));
    socket.end('hello');`;
}

const OWN_LOOPBACK = `
  const { connect, createServer } = require('node:net');
  const server = createServer((socket) => socket.end('own')).listen(0, '127.0.0.1', () => {
    connect(server.address().port, '127.0.0.1').on('data', (data) => { console.log(data.toString()); server.close(); });
  });`;

const MUCH_BYTES = 3_000_000;
const MUCH = `
  const { connect } = require('node:net');
  const one = () => new Promise((settle, reject) => {
    let count = 0;
    const socket = connect({ port: 4001, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('data', (data) => { count += data.length; }).on('end', () => settle(count)).on('error', reject);
    socket.end('x'.repeat(${MUCH_BYTES}));
  });
  Promise.all(Array.from({ length: 20 }, one)).then((counts) => console.log(JSON.stringify(counts)));`;
