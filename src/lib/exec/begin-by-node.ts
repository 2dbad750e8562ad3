import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { heldToOpenFiles } from '../resources/open-files.ts';
import type { BegunProcess, End, ProgramToBegin } from './begun-process.ts';
import { openHanded } from './handed-file.ts';

/** By this process itself, which stands still while its page tables are copied: milliseconds for one of a hundred megabytes. */
export async function beginByNode(program: ProgramToBegin): Promise<BegunProcess> {
  const descriptors: number[] = [];
  try {
    for (const file of program.files ?? []) descriptors.push(openHanded(file));
    return await begin(program, descriptors);
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
  }
}

async function begin(program: ProgramToBegin, descriptors: readonly number[]): Promise<BegunProcess> {
  const { statusPipe = false, gate: isGated = false } = program;
  const behind = [...descriptors, ...(isGated ? (['pipe'] as const) : [])];
  const atThree = behind.length > 0 || statusPipe ? [statusPipe ? ('pipe' as const) : ('ignore' as const)] : [];
  const { openFiles } = program;
  const argv = [program.file, ...program.args] as const;
  const [file, ...args] = openFiles === undefined ? argv : heldToOpenFiles('/bin/sh', openFiles, argv);
  const child = spawn(file, args, {
    cwd: program.cwd,
    env: program.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', ...atThree, ...behind],
  });
  const ended = new Promise<End>((settle) => {
    child.once('exit', (code, signal) => settle({ code, signal }));
  });
  const closed = new Promise<void>((settle) => {
    child.once('close', () => settle());
  });
  const [stdin, stdout, stderr, status] = child.stdio as readonly (Duplex | null | undefined)[];
  const gate = isGated ? (child.stdio.at(-1) as Duplex) : undefined;
  if (!stdin || !stdout || !stderr) throw new Error('a child process without pipes');
  await new Promise((settle, reject) => child.once('spawn', settle).once('error', reject));
  if (child.pid === undefined) throw new Error('a child process without a number');
  const unref = (): void => child.unref();
  return { pid: child.pid, stdin, stdout, stderr, status: status ?? undefined, gate, ended, closed, unref };
}
