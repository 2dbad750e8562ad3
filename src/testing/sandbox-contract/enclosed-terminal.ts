import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { firstLine } from '../../lib/exec/first-line.ts';
import type { SandboxRemains, TerminalLaunch, Walls } from '../../ports/sandbox.ts';
import { processesWith, uniqueSleep, untilProcessesWith } from '../marked-processes.ts';
import { PATH, run, script } from './program.ts';
import { enclosedWorkspace } from './workspace.ts';

/** The same walls for a program that somebody else starts, and what of the harness is to be seen in either. */
export function enclosedTerminalCases(walls: Walls, remains: SandboxRemains): void {
  test('a command line for a terminal makes the same walls, and reports their name', async () => {
    await using workspace = await enclosedWorkspace();
    const { tree, secret } = workspace;
    const { terminal } = walls.enclose(workspace.enclosure());
    const sleep = uniqueSleep();
    const code = `pwd; cat given ${secret}; echo $GIVEN; id -u; sleep ${sleep}`;
    const launch = await terminal?.launch(script(code, { cwd: tree, env: { PATH, GIVEN: 'a b' } }));
    if (terminal === undefined || launch === undefined) throw new Error('walls without a terminal');
    const { child, report } = started(launch);
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    await untilProcessesWith(sleep, 1);
    const namespace = terminal.namespaceOf(child.pid ?? 0, (await report) ?? '');
    expect(namespace).toBeDefined();
    expect(await remains.clear(namespace ?? '')).toBe(true);
    expect(processesWith(sleep)).toEqual([]);
    const [stdout, stderr] = await output;
    expect(stdout).toBe(`/workspace\ngiven\na b\n${process.getuid?.()}\n`);
    expect(stderr).toContain('No such file');
  });

  test('a command line for a terminal ends with the program’s code', async () => {
    await using workspace = await enclosedWorkspace();
    const { terminal } = walls.enclose(workspace.enclosure());
    const launch = await terminal?.launch(script('exit 7', { cwd: workspace.tree }));
    if (launch === undefined) throw new Error('walls without a terminal');
    const { child } = started(launch);
    child.stdout.resume();
    child.stderr.resume();
    expect(await once(child, 'exit')).toEqual([7, null]);
  });

  test('a command line for a terminal can be started once for each time that it was asked for', async () => {
    await using workspace = await enclosedWorkspace();
    const { terminal } = walls.enclose(workspace.enclosure());
    const program = script('echo ran', { cwd: workspace.tree });
    for (const launch of [await terminal?.launch(program), await terminal?.launch(program)]) {
      if (launch === undefined) throw new Error('walls without a terminal');
      const { child } = started(launch);
      child.stderr.resume();
      expect(await text(child.stdout)).toBe('ran\n');
    }
  });

  test('neither variables nor arguments of the harness or its launcher are seen, and no file of theirs is open', async () => {
    await using workspace = await enclosedWorkspace();
    process.env['SWITCHYARD_CANARY'] = 'inherited';
    const look = 'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" "\\n"; ls -l /proc/self/fd';
    const result = await run(walls.enclose(workspace.enclosure()), script(look, { cwd: workspace.tree }));
    expect(result.stdout).toContain('PWD=/workspace');
    expect(result.stdout).not.toContain('SWITCHYARD_CANARY');
    expect(result.stdout).not.toContain(workspace.root);
    expect(result.stdout).not.toContain('(deleted)');
  });

  test('a variable that tells a loader what to load is the program’s alone', async () => {
    await using workspace = await enclosedWorkspace();
    const heard = join(workspace.root, 'heard');
    const env = { PATH, LD_DEBUG: 'libs', LD_DEBUG_OUTPUT: heard };
    const result = await run(walls.enclose(workspace.enclosure()), script('exit 0', { cwd: workspace.tree, env }));
    expect(result.code).toBe(0);
    const entries = async () => (await readdir(workspace.root)).filter((name) => name.startsWith('heard'));
    expect(await entries()).toEqual([]);
    await once(spawn('true', [], { env, stdio: 'ignore' }), 'exit');
    expect(await entries()).not.toEqual([]);
  });
}

function started({ argv: [file, ...args], cwd, env }: TerminalLaunch) {
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const [, stdout, stderr, channel] = child.stdio as unknown as [null, Readable, Readable, Readable];
  return { child: Object.assign(child, { stdout, stderr }), report: firstLine(channel) };
}
