import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../../testing/temp-repository.ts';
import { isAlive } from '../processes.ts';
import { waitUntil } from '../wait-until.ts';
import { isLaunchable, launch } from './launcher.ts';

const PATH = process.env['PATH'] ?? '/usr/bin:/bin';
const sh = (
  script: string,
  { env = {}, cwd = '/', signal }: { env?: Record<string, string>; cwd?: string; signal?: AbortSignal } = {},
) => launch({ file: 'sh', args: ['-c', script], cwd, env: { PATH, ...env }, signal });

test('says what a program said, byte by byte, and how it ended', async () => {
  const result = await sh(`printf 'a\\000b'; printf problem >&2; exit 3`);
  expect(result).toEqual({ code: 3, stdout: Buffer.from('a\0b'), stderr: 'problem' });
});

test('a program that says nothing has said nothing', async () => {
  expect(await sh(':')).toEqual({ code: 0, stdout: Buffer.alloc(0), stderr: '' });
});

test('a great deal of output comes over whole', async () => {
  const { stdout } = await sh('head -c 3000000 /dev/zero');
  expect(stdout.equals(Buffer.alloc(3_000_000))).toBe(true);
});

test('arguments and environment are what was given, whatever is in them', async () => {
  const words = ['', ' ', "it's", '"$HOME"', 'two\nlines', '-n', '\\', '*', 'ü€'];
  const args = ['-c', `for word; do printf '%s\\0' "$word"; done; printf %s "$ODD"`, 'sh', ...words];
  const { stdout } = await launch({ file: 'sh', args, cwd: '/', env: { PATH, ODD: "a'b\n$c" }, signal: undefined });
  expect(stdout.toString().split('\0')).toEqual([...words, "a'b\n$c"]);
});

test('nothing more is inherited than by a program that is started from here', async () => {
  await sh(':', { env: { EARLIER: '1' } });
  const { stdout } = await launch({ file: 'env', args: [], cwd: '/', env: { PATH, ONE: '1' }, signal: undefined });
  const names = stdout
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.slice(0, line.indexOf('=')));
  expect(names.filter((name) => !['_', 'PWD', 'OLDPWD', 'SHLVL'].includes(name)).sort()).toEqual(['ONE', 'PATH']);
  const script = 'exec ls /proc/self/fd';
  const fromHere = spawnSync('sh', ['-c', script], { cwd: '/', env: { PATH } }).stdout.toString();
  expect((await sh(script)).stdout.toString()).toBe(fromHere);
});

test('standard input is empty', async () => {
  expect((await sh('cat')).stdout.length).toBe(0);
});

test('it starts in its folder, and rejects when that is not there', async () => {
  await using folder = await tempFolder();
  expect((await sh('pwd', { cwd: folder.path })).stdout.toString()).toBe(`${folder.path}\n`);
  await expect(sh('pwd', { cwd: join(folder.path, 'missing') })).rejects.toThrow('there is no folder');
  expect((await sh('pwd')).stdout.toString()).toBe('/\n');
});

test('once it has ended nothing stands in its folder, so that this can be removed or unmounted', async () => {
  await using folder = await tempFolder();
  const shell = (await sh('echo $PPID', { cwd: folder.path })).stdout.toString().trim();
  expect(readlinkSync(`/proc/${shell}/cwd`)).toBe('/');
});

test('without a folder it starts in that of this process', async () => {
  await sh('pwd', { cwd: '/usr' });
  const { stdout } = await launch({ file: 'pwd', args: ['-P'], cwd: undefined, env: { PATH }, signal: undefined });
  expect(stdout.toString()).toBe(`${realpathSync(process.cwd())}\n`);
});

test('a program that is not there is told from one that failed, and others still run afterwards', async () => {
  const missing = await launch({ file: 'no-such-program', args: [], cwd: '/', env: { PATH }, signal: undefined });
  expect(missing.code).toBe(127);
  expect((await sh('exit 1')).code).toBe(1);
});

test.skipIf(process.platform !== 'linux')(
  'what something left behind says after the end of a program does not hide that end',
  async () => {
    await using folder = await tempFolder();
    const spoken = join(folder.path, 'spoken');
    // The shell reads its next command when it has told the end of this one: the first field is the number of its system call, 0 for `read`.
    const awaitEnd = `while ! grep -q '^0 ' /proc/$PPID/syscall; do :; done`;
    await sh(':'); // there is a shell now, which is asked at once
    const ended = sh(`(${awaitEnd}; printf late; printf late >&2; : > ${spoken}) & printf early`);
    // Meanwhile nothing is read here, so that both come at once.
    spawnSync('sh', ['-c', `while ! [ -e ${spoken} ]; do :; done`], { env: { PATH } });
    expect(await ended).toEqual({ code: 0, stdout: Buffer.from('earlylate'), stderr: 'late' });
    expect((await sh('printf next')).stdout.toString()).toBe('next');
  },
);

test('many run beside each other, each with its own output', async () => {
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, n) => sh(`echo out ${n}; echo err ${n} >&2; exit ${n}`)),
  );
  expect(results.map(({ code, stdout, stderr }) => [code, stdout.toString(), stderr])).toEqual(
    results.map((_, n) => [n, `out ${n}\n`, `err ${n}\n`]),
  );
});

test('aborting kills the program, and what it has started, and rejects', async () => {
  await using folder = await tempFolder();
  const abort = new AbortController();
  const file = join(folder.path, 'pids');
  const running = sh(`sleep 600 & echo $! $$ > ${file}.part; mv ${file}.part ${file}; wait`, { signal: abort.signal });
  const failed = running.then(
    () => false,
    () => true,
  );
  const pids = await waitUntil(() => readPids(file), { timeoutMs: 10_000, what: 'the program to start' });
  abort.abort();
  expect(await failed).toBe(true);
  await waitUntil(() => pids.every((pid) => !isAlive({ pid })), { timeoutMs: 10_000, what: 'all to be gone' });
  expect((await sh('echo on')).stdout.toString()).toBe('on\n');
});

test('what a shell could not pass on as it is, it is not asked to', () => {
  const program = { file: 'true', args: [], cwd: '/', env: { PATH }, input: undefined, signal: undefined };
  expect(isLaunchable(program)).toBe(true);
  expect(isLaunchable({ ...program, env: { 'npm_config_//registry/': 'x' } })).toBe(false);
  expect(isLaunchable({ ...program, env: { UID: '1' } })).toBe(false);
  expect(isLaunchable({ ...program, args: ['a\0b'] })).toBe(false);
  expect(isLaunchable({ ...program, input: 'a\0b' })).toBe(false);
  expect(isLaunchable({ ...program, input: 'x'.repeat(20_000) })).toBe(false);
  expect(isLaunchable({ ...program, input: Buffer.from('bytes') })).toBe(false);
});

test('a program reads a text or a file of ours', async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "a file's");
  await writeFile(path, 'from a file');
  const cat = { file: 'cat', args: [], cwd: '/', env: { PATH }, signal: undefined };
  const odd = "it's %s \\n $HOME `x`\nand no end of a line";
  expect((await launch({ ...cat, input: odd })).stdout.toString()).toBe(odd);
  expect((await launch({ ...cat, input: { path } })).stdout.toString()).toBe('from a file');
  expect((await launch({ ...cat, file: 'false', input: odd })).code).toBe(1);
  const long = 'x'.repeat(16_000);
  expect(await launch({ ...cat, file: 'true', input: long })).toMatchObject({ code: 0, stderr: '' });
});

function readPids(file: string): number[] | undefined {
  try {
    return readFileSync(file, 'utf8').trim().split(' ').map(Number);
  } catch {
    return undefined;
  }
}
