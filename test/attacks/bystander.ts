import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import type { Stage } from './stage.ts';

/** A process outside of the walls, as the harness is one, that has the stage's secret wherever a process can have it. */
export interface Bystander extends AsyncDisposable {
  readonly pid: number;
  isAlive(): boolean;
}

/** In its environment, its arguments, its memory, its working directory and an open file that has no name any more. */
export async function bystander(stage: Stage): Promise<Bystander> {
  const file = await stage.put('person/open-file');
  await using handle = await open(file, 'r');
  const child = spawn('/usr/bin/perl', ['-e', PROGRAM, '--', `--token=${stage.secret}`], {
    cwd: stage.person,
    env: { PATH: '/usr/bin:/bin', SWITCHYARD_TOKEN: stage.secret },
    stdio: ['pipe', 'pipe', 'ignore', handle.fd],
  });
  const [stdin, stdout] = [child.stdin as Writable, child.stdout as Readable];
  stdin.on('error', () => undefined);
  stdin.end(`HELD-${stage.secret}\n`);
  await once(stdout, 'data');
  const ended = once(child, 'exit');
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  return {
    pid: child.pid ?? 0,
    isAlive,
    async [Symbol.asyncDispose]() {
      if (isAlive()) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Reads a line, says so, and keeps it. */
const PROGRAM = '$| = 1; my $held = <STDIN>; print "ready\\n"; sleep 600';

/** The attack with a bystander about. */
export function withBystander<T>(play: (stage: Stage, other: Bystander) => Promise<T>): (stage: Stage) => Promise<T> {
  return async (stage) => {
    await using other = await bystander(stage);
    return await play(stage, other);
  };
}
