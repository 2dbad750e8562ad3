import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { isAlive, sendSignal } from '../processes.ts';
import { waitUntil } from '../wait-until.ts';
import { begin } from './begin.ts';
import type { BegunProcess, ProgramToBegin } from './begun-process.ts';
import { firstLine } from './first-line.ts';
import { runOwn } from './own-program.ts';
import { startProcess } from './start.ts';
import { Starter } from './starter.ts';

const linux = process.platform === 'linux' ? test : test.skip;
const HERE = new URL('./', import.meta.url).href;
const ENV = { PATH: '/usr/bin:/bin' };
const sh = (script: string): ProgramToBegin => ({ file: '/bin/sh', args: ['-c', script], cwd: '/', env: ENV });
const within = (what: string) => ({ timeoutMs: 20_000, what });

const left: ChildProcess[] = [];
afterEach(() => {
  for (const child of left.splice(0)) child.kill('SIGKILL');
});

/** Runs statements in a process of their own, in which `Starter`, `begin` and `startProcess` are there. */
function inNode(statements: string): ChildProcess {
  const imports = [
    `import { Starter } from '${HERE}starter.ts';`,
    `import { begin } from '${HERE}begin.ts';`,
    `import { startProcess } from '${HERE}start.ts';`,
    `const env = { PATH: '/usr/bin:/bin' };`,
    'const stay = setInterval(() => {}, 1000);',
  ];
  const args = ['--input-type=module', '-e', [...imports, statements].join('\n')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  left.push(child);
  return child;
}

function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** A program that sleeps, started by a starter, which `begin` has at once or in a moment. */
async function sleeping(): Promise<BegunProcess> {
  return waitUntil(async () => {
    const begun = await begin(SLEEP);
    if (parentOf(begun.pid) !== process.pid) return begun;
    await end(begun);
    return undefined;
  }, within('a starter to be there'));
}

const SLEEP = sh('exec sleep 600');

async function end(program: BegunProcess): Promise<void> {
  sendSignal(program.pid, 'SIGKILL');
  await program.ended;
}

linux('when the starter is killed, so are its programs, and that is told; another starts the next ones', async () => {
  const program = await sleeping();
  const other = await begin(SLEEP);
  const starter = parentOf(program.pid);
  expect(parentOf(other.pid)).toBe(starter);
  sendSignal(starter, 'SIGKILL');
  expect(await Promise.all([program.ended, other.ended])).toEqual([
    { code: null, signal: 'SIGKILL' },
    { code: null, signal: 'SIGKILL' },
  ]);
  expect([program, other].filter((each) => isAlive(each))).toEqual([]);
  const between = await startProcess(sh('echo on'));
  expect(await text(between.stdout)).toBe('on\n');
  const next = await sleeping();
  expect(parentOf(next.pid)).not.toBe(starter);
  await end(next);
});

linux('short programs run on when the starter of their shells was killed', async () => {
  await end(await sleeping());
  const asked = () => Promise.all(Array.from({ length: 8 }, () => runOwn('sh', ['-c', 'echo $PPID; exec sleep 0.1'])));
  const shells = (await asked()).map(({ stdout }) => Number(stdout));
  const theirs = shells.filter((shell) => parentOf(shell) !== process.pid);
  expect(theirs).not.toEqual([]);
  sendSignal(parentOf(theirs[0] ?? 0), 'SIGKILL');
  await waitUntil(() => theirs.every((pid) => !isAlive({ pid })), within('the shells to end'));
  expect((await asked()).map(({ code }) => code)).toEqual(shells.map(() => 0));
});

linux(
  'ends with its process, however that is killed, and so does what dies with its parent, but nothing else',
  async () => {
    const harness = inNode(`
    const starter = await Starter.start();
    const start = (...argv) => starter.begin({ file: argv[0], args: argv.slice(1), cwd: '/', env });
    const one = await start('/usr/bin/setpriv', '--pdeathsig', 'KILL', 'sleep', '600');
    const other = await start('/usr/bin/sleep', '600');
    console.log(starter.pid, one.pid, other.pid);`);
    const [starter = 0, bound = 0, free = 0] = ((await firstLine(harness.stdout!)) ?? '').split(' ').map(Number);
    // Only when it has become what it starts does it die with its parent.
    const name = () => readFileSync(`/proc/${bound}/comm`, 'utf8').trim();
    await waitUntil(() => name() === 'sleep', within('the program to run'));
    expect([starter, bound, free].map((pid) => isAlive({ pid }))).toEqual([true, true, true]);
    harness.kill('SIGKILL');
    await waitUntil(() => !isAlive({ pid: starter }) && !isAlive({ pid: bound }), within('both to end'));
    expect(isAlive({ pid: free })).toBe(true);
    sendSignal(free, 'SIGKILL');
  },
);

linux('keeps no process from its end, but one of its programs does', async () => {
  const idle = inNode(`
    const starter = await Starter.start();
    clearInterval(stay);
    const program = await starter.begin({ file: '/bin/sh', args: ['-c', 'sleep 0.2; exit 4'], cwd: '/', env });
    for (const channel of [program.stdin, program.stdout, program.stderr]) channel.destroy();
    console.log(starter.pid, (await program.ended).code);`);
  const said = await firstLine(idle.stdout!);
  const [starter = 0, code] = (said ?? '').split(' ').map(Number);
  expect(code).toBe(4);
  await waitUntil(() => idle.exitCode !== null, within('the process to end'));
  await waitUntil(() => !isAlive({ pid: starter }), within('the starter to end'));
});

linux('without Perl, or with one that cannot do it, there is none, and nothing is left', async () => {
  const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('switchyard-starter-'));
  const before = folders();
  for (const perl of ['/no/such/perl', '/bin/true', '/bin/cat']) expect(await Starter.start(perl)).toBe(undefined);
  expect(folders().filter((name) => !before.includes(name))).toEqual([]);
});

linux('its socket has no name that anybody else could connect to', async () => {
  const starter = await Starter.start();
  const paths = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(/\s+/)[7] ?? [])
    .filter((path) => path.includes('switchyard-starter-'));
  expect(paths.filter((path) => readdirSync(tmpdir()).includes(path.split('/').at(-2) ?? ''))).toEqual([]);
  expect(readFileSync(`/proc/${starter?.pid}/environ`, 'utf8')).toBe('');
  starter?.end();
  await waitUntil(() => !isAlive({ pid: starter?.pid ?? 0 }), within('it to end'));
});

test('what a starter could not pass on as it is, it is not asked to', async () => {
  await end(await sleeping());
  await expect(begin({ ...sh(''), args: ['a\0b'] })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  const odd = await startProcess({ ...sh('env'), env: { ...ENV, 'a=b': 'c' } });
  expect(await text(odd.stdout)).toContain('a=b=c\n');
});
