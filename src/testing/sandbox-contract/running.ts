import { realpath } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { Sandbox } from '../../ports/sandbox.ts';
import { FOLDER, PATH, run, script } from './program.ts';

export function runningCases(make: () => Promise<Sandbox>): void {
  test('runs a program and hands on what it writes', async () => {
    const result = await run(await make(), script('echo out; echo err >&2'));
    expect(result).toEqual({ code: 0, signal: null, stdout: 'out\n', stderr: 'err\n' });
  });

  test('runs it in the given folder', async () => {
    const result = await run(await make(), script('pwd -P', { cwd: '/usr/lib' }));
    expect(result.stdout).toBe(`${await realpath('/usr/lib')}\n`);
  });

  test('passes arguments on untouched', async () => {
    const odd = ['', '-x', '--', 'a b', '$HOME', '*', "'", '"', 'ü\n'];
    const argv = ['printf', '[%s]', ...odd] as const;
    const result = await run(await make(), { argv, cwd: FOLDER, env: { PATH } });
    expect(result.stdout).toBe(odd.map((argument) => `[${argument}]`).join(''));
  });

  test('runs the program of that name, not a command of a shell', async () => {
    const result = await run(await make(), { argv: ['exit', '7'], cwd: FOLDER, env: { PATH } }).catch(
      (error: unknown) => error,
    );
    expect(result).toMatchObject({ code: 'sandbox/cannot-start' });
  });

  test('gives the program the given variables and PWD, and nothing else', async () => {
    process.env['SWITCHYARD_CANARY'] = 'inherited';
    const env = { PATH, PLAIN: 'x', ODD: 'a=b "c"\nd', EMPTY: '' };
    const result = await run(await make(), { argv: ['env', '-0'], cwd: FOLDER, env });
    const seen = Object.fromEntries(result.stdout.split('\0').filter(Boolean).map(splitVariable));
    expect(seen).toEqual({ ...env, PWD: FOLDER });
  });

  test('does not show the harness’s own variables to the program in any process that it can see', async () => {
    process.env['SWITCHYARD_CANARY'] = 'inherited';
    // Process 1 within a pid namespace is the launcher's; without one it is the system's and of no interest.
    const look = 'cat /proc/self/environ; [ -e /proc/self/ns/pid ] && [ $$ -lt 20 ] && cat /proc/1/environ; true';
    const result = await run(await make(), script(look));
    expect(result.stdout).toContain('PWD=');
    expect(result.stdout).not.toContain('SWITCHYARD_CANARY');
  });

  test('gives the text on standard input and closes it', async () => {
    const input = 'ä line\n'.repeat(50_000);
    const result = await run(await make(), script('cat', { input }));
    expect(result.stdout === input).toBe(true);
  });

  test('gives an empty standard input without a text', async () => {
    expect((await run(await make(), script('wc -c'))).stdout.trim()).toBe('0');
  });

  test('does not mind a program that leaves its input unread', async () => {
    const result = await run(await make(), script('exit 0', { input: 'x'.repeat(400_000) }));
    expect(result.code).toBe(0);
  });

  test.each([0, 1, 42, 129])('tells the exit code %i', async (code) => {
    expect(await run(await make(), script(`exit ${code}`))).toMatchObject({ code, signal: null });
  });

  test.each(['KILL', 'TERM', 'SEGV'])('tells that SIG%s ended the program', async (name) => {
    expect(await run(await make(), script(`kill -${name} $$`))).toMatchObject({ code: null, signal: `SIG${name}` });
  });

  test.each([
    ['a name that is not on the PATH', { argv: ['no-such-program'] as const }],
    ['a file that is not there', { argv: ['/no/such/program'] as const }],
    ['a file that is not executable', { argv: ['/etc/passwd'] as const }],
    ['a folder', { argv: ['/usr'] as const }],
    ['a working directory that is not there', { cwd: '/no/such/folder' }],
    ['an argument that is too long for the system', { argv: ['true', 'x'.repeat(3_000_000)] as const }],
  ])('refuses %s before it starts anything', async (_what, more) => {
    const sandbox = await make();
    await expect(sandbox.spawn({ argv: ['true'], cwd: FOLDER, env: { PATH }, ...more })).rejects.toMatchObject({
      code: 'sandbox/cannot-start',
    });
  });

  test('hands on 60 MB of output', async () => {
    await using running = await (await make()).spawn(script('head -c 60000000 /dev/zero'));
    let bytes = 0;
    for await (const chunk of running.stdout) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(60_000_000);
    running.stderr.resume();
    expect((await running.exited).code).toBe(0);
  });

  test('runs 30 programs at once, each with its own output', async () => {
    const sandbox = await make();
    const numbers = Array.from({ length: 30 }, (_, index) => index);
    const results = await Promise.all(numbers.map((number) => run(sandbox, script(`echo ${number}; exit ${number}`))));
    expect(results.map(({ code, stdout }) => [code, stdout])).toEqual(numbers.map((number) => [number, `${number}\n`]));
  });

  test('says what it promises', async () => {
    const sandbox = await make();
    expect(sandbox.guarantees.length).toBeGreaterThan(0);
    for (const sentence of [...sandbox.guarantees, ...sandbox.warnings]) expect(sentence).toMatch(/^[A-Z].*\.$/s);
  });
}

function splitVariable(entry: string): [string, string] {
  const end = entry.indexOf('=');
  return [entry.slice(0, end), entry.slice(end + 1)];
}
