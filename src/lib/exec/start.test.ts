import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { tempFolder } from '../../testing/temp-repository.ts';
import { isAlive, processStart, sendSignal } from '../processes.ts';
import { waitUntil } from '../wait-until.ts';
import { beginByNode } from './begin-by-node.ts';
import type { Begin } from './begun-process.ts';
import { firstLine } from './first-line.ts';
import { type ProgramToStart, startProcess } from './start.ts';
import { Starter } from './starter.ts';

const starter = await Starter.start();
afterAll(() => starter?.end());

const PATH = '/usr/bin:/bin';
const node = (code: string): ProgramToStart => ({ file: process.execPath, args: ['-e', code], cwd: '/', env: {} });
const sh = (script: string, ...args: string[]): ProgramToStart => ({
  file: '/bin/sh',
  args: ['-c', script, 'sh', ...args],
  cwd: '/',
  env: { PATH },
});

test.skipIf(process.platform !== 'linux')('there is a starter here, so that what follows tries both ways', () => {
  expect(starter).toBeDefined();
});

const ways: [string, Begin][] = [['Node', beginByNode]];
if (starter !== undefined) ways.push(['a starter', (program) => starter.begin(program)]);

describe.each(ways)('by %s', (_name, by) => {
  const start = (program: ProgramToStart) => startProcess(program, by);
  const output = async (program: ProgramToStart): Promise<Buffer> => buffer((await start(program)).stdout);

  test('keeps the output of a program that was over before anybody read it', async () => {
    const child = await start({ ...sh('echo out; echo err >&2; echo up >&3'), statusPipe: true });
    await child.ended;
    await new Promise((resolve) => setImmediate(resolve));
    const outputs = [child.stdout, child.stderr, child.status!].map((stream) => text(stream));
    expect(await Promise.all(outputs)).toEqual(['out\n', 'err\n', 'up\n']);
    await child.closed;
  });

  test('holds it to a number of open files, and says when it cannot', async () => {
    const bounds = sh('ulimit -Sn; ulimit -Hn');
    expect((await output({ ...bounds, openFiles: { soft: 200, hard: 300 } })).toString()).toBe('200\n300\n');
    const tooMany = start({ ...bounds, openFiles: { soft: 300, hard: 200 } });
    const code = await tooMany.then(
      async ({ ended }) => (await ended).code,
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect([126, 'EINVAL']).toContain(code);
  });

  test('does not open a status pipe unasked', async () => {
    const child = await start(sh('echo x >&3'));
    expect((await child.ended).code).not.toBe(0);
    expect(child.status).toBe(undefined);
  });

  test('hands files on, and then a gate to wait at', async () => {
    const script =
      'echo up >&3; read -r answer <&6; echo "$answer"; head -c 5 <&4; cat <&5; (echo x >&7) 2>/dev/null || echo " no more"';
    const child = await start({
      ...sh(script),
      statusPipe: true,
      files: [{ path: '/proc/self/status' }, { content: ' a\0b', folder: tmpdir() }],
      gate: true,
    });
    expect(await firstLine(child.status!)).toBe('up');
    child.gate?.end('go on\n');
    expect(await text(child.stdout)).toBe('go on\nName: a\0b no more\n');
    child.stderr.resume();
    await child.closed;
  });

  test('files lie behind the third descriptor also when nothing is reported there', async () => {
    const files = [{ content: 'content', folder: tmpdir() }];
    expect((await output({ ...sh('cat <&4; cat <&3'), files })).toString()).toBe('content');
  });

  test('the content of a file is left nowhere on the disk', async () => {
    await using folder = await tempFolder();
    await output({ ...sh('cat <&4'), files: [{ content: 'content', folder: folder.path }] });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test('tells code and signal', async () => {
    const failing = await start(node('process.exit(7)'));
    expect(await failing.ended).toEqual({ code: 7, signal: null });
    const killed = await start(node('setInterval(() => {}, 1000)'));
    sendSignal(killed.pid, 'SIGKILL');
    expect(await killed.ended).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await (await start(sh('kill -ABRT $$'))).ended).toEqual({ code: null, signal: 'SIGABRT' });
  });

  test('rejects with the system’s error when the program cannot be started', async () => {
    await expect(start({ ...node(''), file: '/no/such' })).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(start({ ...node(''), cwd: '/no/such' })).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(start({ ...node(''), file: '/etc/passwd' })).rejects.toMatchObject({ code: 'EACCES' });
    await expect(start({ ...node(''), args: ['x'.repeat(3_000_000)] })).rejects.toMatchObject({ code: 'E2BIG' });
    await expect(start({ ...node(''), files: [{ path: '/no/such' }] })).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('makes the program the leader of its own session', async () => {
    const child = await start(sh('cut -d" " -f6 /proc/$$/stat'));
    expect(Number(await text(child.stdout))).toBe(child.pid);
  });

  test('arguments and environment are what was given, whatever is in them, and nothing else', async () => {
    const words = ['', ' ', 'two\nlines', '-e', '"$HOME"', "it's", '\\', 'ü€', '\u{1f600}', '\u0001\u007f\r\t'];
    const env = { PATH, EMPTY: '', 'npm_config_//registry/:token': 'a=b\n\tü', UID: '1', PERL5OPT: '-d' };
    const [given, environment] = await Promise.all([
      output({ ...sh(`for word; do printf '%s\\0' "$word"; done`, ...words), env }),
      output({ ...sh(''), file: '/bin/cat', args: ['/proc/self/environ'], env }),
    ]);
    expect(given.toString().split('\0').slice(0, -1)).toEqual(words);
    const variables = environment.toString().split('\0').slice(0, -1);
    expect(variables.toSorted()).toEqual(
      Object.entries(env)
        .map(([name, value]) => `${name}=${value}`)
        .toSorted(),
    );
  });

  test('a program has no other descriptor than one that is started in any way', async () => {
    const program = { ...sh(''), file: '/bin/ls', args: ['/proc/self/fd'] };
    const usual = spawnSync(program.file, program.args, { cwd: '/', env: program.env }).stdout.toString();
    expect((await output(program)).toString()).toBe(usual);
  });

  test('signals do to a program what they do to any', async () => {
    const broken = await start(sh('sh -c "kill -PIPE \\$\\$; echo survived"; exec grep Sig[BI] /proc/self/status'));
    const said = await text(broken.stdout);
    expect(said).not.toContain('survived');
    expect(said).toMatch(/SigBlk:\t0+\nSigIgn:\t0+\n/);
  });

  test('much input is read whole, and much output comes over whole, byte by byte', async () => {
    const input = 'x'.repeat(499_999).concat('€');
    expect((await output({ ...sh('cat'), input })).toString()).toBe(input);
    const child = await start(sh('head -c 30000000 /dev/zero; printf end'));
    const bytes = await buffer(child.stdout);
    expect(bytes.length).toBe(30_000_003);
    expect(bytes.subarray(0, -3).every((byte) => byte === 0)).toBe(true);
    child.stderr.resume();
    await child.closed;
  });

  test('standard input is empty, and a program that does not read much of it ends as any', async () => {
    expect((await output(sh('cat'))).length).toBe(0);
    const child = await start({ ...sh('exit 3'), input: 'x'.repeat(5_000_000) });
    for (const stream of [child.stdout, child.stderr]) stream.resume();
    await child.closed;
    expect((await child.ended).code).toBe(3);
  });

  test('a program has ended though another holds its output, which is closed only when that has ended too', async () => {
    const child = await start(sh('sleep 600 2>&1 & echo $!'));
    const other = Number(await firstLine(child.stdout));
    expect((await child.ended).code).toBe(0);
    let isClosed = false;
    void child.closed.then(() => {
      isClosed = true;
    });
    child.stderr.resume();
    await output(sh('exec true'));
    expect(isClosed).toBe(false);
    sendSignal(other, 'SIGKILL');
    await child.closed;
  });

  test('destroying an output is noticed by the program', async () => {
    const child = await start(sh('while echo x; do :; done 2>/dev/null; exit 5'));
    child.stdout.destroy();
    expect((await child.ended).code).not.toBe(0); // it is told by a signal, or by an error first where something was unread
    child.stderr.resume();
    await child.closed;
  });

  test('many start beside each other, each with its own streams', async () => {
    const results = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const child = await start({ ...sh(`cat; echo ${n} >&2; exit ${n}`), input: `in ${n}` });
        return [...(await Promise.all([text(child.stdout), text(child.stderr)])), (await child.ended).code];
      }),
    );
    expect(results).toEqual(results.map((_, n) => [`in ${n}`, `${n}\n`, n]));
  });

  test('nothing is left of a hundred programs: no descriptor, no process', async () => {
    const one = async () => {
      const files = [{ content: 'x', folder: tmpdir() }];
      const child = await start({ ...sh('cat <&4'), statusPipe: true, files, gate: true });
      child.gate?.end();
      for (const stream of [child.stdout, child.stderr, child.status]) stream?.resume();
      await child.closed;
      await start({ ...node(''), file: '/no/such' }).catch(() => undefined);
      return child.pid;
    };
    await one();
    const holders = [process.pid, ...(starter === undefined ? [] : [starter.pid])];
    const open = () => holders.map((pid) => readdirSync(`/proc/${pid}/fd`).length);
    const before = open();
    const pids: number[] = [];
    for (let n = 0; n < 20; n += 1) pids.push(...(await Promise.all(Array.from({ length: 5 }, one))));
    await waitUntil(() => open().every((count, at) => count <= (before[at] ?? 0)), {
      timeoutMs: 10_000,
      what: 'all to be closed',
    });
    expect(pids.filter((pid) => isAlive({ pid }) || processStart(pid) !== undefined)).toEqual([]);
  });
});
