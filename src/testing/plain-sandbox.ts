import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { SwitchyardError } from '../lib/error.ts';
import type { Exit, Sandbox, SandboxedProcess, SandboxProgram } from '../ports/sandbox.ts';

/** A sandbox without walls: a process group of its own, nothing more. It keeps a list of what was started. */
export interface PlainSandbox extends Sandbox {
  readonly started: readonly SandboxProgram[];
}

export function plainSandbox(): PlainSandbox {
  const started: SandboxProgram[] = [];
  return {
    level: 'none',
    mechanism: 'process group',
    guarantees: [],
    warnings: ['Nothing is kept from the programs that run here.'],
    started,
    async spawn(program) {
      started.push(program);
      return start(program);
    },
  };
}

async function start({ argv, cwd, env, input }: SandboxProgram): Promise<SandboxedProcess> {
  const [command, ...args] = argv;
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  await once(child, 'spawn').catch((cause: unknown) => {
    throw new SwitchyardError({
      code: 'sandbox/cannot-start',
      message: `${command} could not be started`,
      hint: 'See that it is installed.',
      cause,
    });
  });
  const { pid, stdin, stdout, stderr } = streams(child);
  // A program may end without having read its input.
  stdin.on('error', () => undefined);
  if (input !== undefined) stdin.end(input);
  const signal = (name: NodeJS.Signals): boolean => signalGroup(pid, name);
  const stop = async (graceMs: number): Promise<void> => {
    if (graceMs > 0 && signal('SIGINT')) await settled(exited, graceMs);
    if (graceMs > 0 && signal('SIGTERM')) await settled(exited, graceMs);
    signal('SIGKILL');
    await exited;
  };
  return { pid, namespace: undefined, stdin, stdout, stderr, exited, stop, [Symbol.asyncDispose]: () => stop(0) };
}

function streams({ pid, stdin, stdout, stderr }: ChildProcess) {
  return {
    pid: pid ?? 0,
    stdin: stdin ?? new PassThrough(),
    stdout: stdout ?? new PassThrough(),
    stderr: stderr ?? new PassThrough(),
  };
}

/** False when the group is gone already. */
function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

async function settled(exited: Promise<Exit>, ms: number): Promise<void> {
  const timer = new AbortController();
  await Promise.race([exited, sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined)]);
  timer.abort();
}
