import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startProcess } from '../exec/start.ts';
import { processRlimit } from './process-rlimit.ts';

const PROBE = fileURLToPath(new URL('probe.ts', import.meta.url));
const NOBODY = 65534;
const isRoot = process.geteuid?.() === 0;

/** Runs a script as an ordinary user; gives what it says, as JSON, or undefined where that cannot be done. */
async function asOrdinary(script: string): Promise<unknown> {
  const as = isRoot ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'] : ['env'];
  const command = [...as, process.execPath, '--input-type=module', '-e', script];
  const env = { PATH: process.env['PATH'] ?? '' };
  const child = await startProcess({ file: '/usr/bin/env', args: command, cwd: '/', env });
  const [said, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (said === '' && /EACCES|ERR_MODULE_NOT_FOUND|unshare/.test(errors)) return undefined;
  expect(errors).toBe('');
  return JSON.parse(said);
}

test('an ordinary user without a control group is held to a number of processes, and told what is not held', async (context) => {
  const found = (await asOrdinary(`
    const { probeResources } = await import(${JSON.stringify(PROBE)});
    const { control, mechanism, notes } = await probeResources({ homeId: 'ordinary' });
    console.log(JSON.stringify({ enforces: control.enforces, mechanism, notes }));`)) as
    | { readonly enforces: string[]; readonly mechanism: string; readonly notes: string[] }
    | undefined;
  if (found === undefined) return context.skip('an ordinary user cannot read this folder');
  if (found.mechanism !== 'RLIMIT_NPROC') return context.skip(`an ordinary user has ${found.mechanism} here`);
  expect(found.enforces).toEqual(['processes']);
  expect(found.notes).toEqual([
    expect.stringContaining('is not told'),
    expect.stringMatching(/^Programs are not held to limits of memory and processor time: .+\.$/),
  ]);
});

/** Starts 60 sleeping programs in a user namespace of its own, under a limit, and counts how many could be started. */
const COUNTING = (limits: string) => `
  import { spawn } from 'node:child_process';
  import { once } from 'node:events';
  import { text } from 'node:stream/consumers';
  const { processRlimit } = await import(${JSON.stringify(PROBE.replace('probe.ts', 'process-rlimit.ts'))});
  const loop = 'echo ready; read go; i=0; while [ $i -lt 60 ]; do sleep 60 & echo $!; i=$((i + 1)); done';
  const child = spawn('unshare', ['-U', 'sh', '-c', loop], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const errors = text(child.stderr);
  const gone = once(child, 'exit');
  const first = await Promise.race([once(child.stdout, 'data'), gone.then(() => undefined)]);
  if (first === undefined) { console.error('unshare', await errors); process.exit(1); }
  let said = '';
  child.stdout.on('data', (chunk) => { said += chunk; });
  await using group = await processRlimit.start(${limits});
  await group.admit([child.pid]);
  child.stdin.write('go\\n');
  await gone;
  process.kill(-child.pid, 'SIGKILL');
  console.log(JSON.stringify({ started: said.trim().split('\\n').length, breach: await group.breach() ?? null }));`;

test('more processes than the limit cannot be started in a user namespace, however many the user has elsewhere', async (context) => {
  const held = await asOrdinary(COUNTING('{ processes: 16 }'));
  if (held === undefined)
    return context.skip('an ordinary user can make no user namespace here, or not read this folder');
  // The shell itself counts, and one that it starts may be refused only when it has said its number.
  expect(held).toEqual({ started: expect.any(Number), breach: null });
  expect((held as { started: number }).started).toBeLessThanOrEqual(16);
  expect(await asOrdinary(COUNTING('{}'))).toEqual({ started: 60, breach: null });
});

test('a process that shares our user namespace is refused, and keeps its own limits', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const limits = () => readFile(`/proc/${child.pid}/limits`, 'utf8');
  const before = await limits();
  await using group = await processRlimit.start({ processes: 16 });
  await expect(group.admit([child.pid ?? 0])).rejects.toMatchObject({ code: 'resources/cannot-admit' });
  expect(await limits()).toBe(before);
  child.kill('SIGKILL');
});
