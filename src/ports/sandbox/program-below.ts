import { readFileSync } from 'node:fs';
import { descendants } from '../../lib/processes.ts';

/**
 * The program that a namespace's init was started for, as a pid of the host: the init's first child, which the namespace
 * knows as process 2. Undefined when it has ended.
 */
export function programBelow(init: number): number | undefined {
  return childrenOf(init).find((pid) => innermostPid(pid) === 2);
}

/** The first child of a process; undefined while it has none. */
export function firstChildOf(pid: number): number | undefined {
  return childrenOf(pid)[0];
}

/** Read from one file where the kernel offers it, since walking all processes of a busy machine takes milliseconds. */
function childrenOf(pid: number): number[] {
  const text = read(`/proc/${pid}/task/${pid}/children`);
  if (text === undefined) return descendants(pid);
  return text.split(' ').filter(Boolean).map(Number);
}

function innermostPid(pid: number): number | undefined {
  const numbers = /^NSpid:(.*)$/m
    .exec(read(`/proc/${pid}/status`) ?? '')?.[1]
    ?.trim()
    .split(/\s+/);
  return numbers === undefined ? undefined : Number(numbers.at(-1));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // it has ended, or this kernel has no such file
  }
}
