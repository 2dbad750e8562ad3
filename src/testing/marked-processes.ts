import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { argumentsOf, isAlive, processIds } from '../lib/processes.ts';
import { waitUntil } from '../lib/wait-until.ts';

/** An argument for `sleep` (about a day) that no other process has. It survives `setsid`, `env -i` and double forks. */
export function uniqueSleep(): string {
  return `86400.${randomInt(1e9, 1e12)}`;
}

/** The live processes of this host with that argument, whatever sandbox they are in. */
export function processesWith(argument: string): number[] {
  return processIds().filter((pid) => argumentsOf(pid)?.includes(argument) === true && isAlive({ pid }));
}

/** Resolves when that many processes have the argument. */
export async function untilProcessesWith(argument: string, count: number): Promise<void> {
  const what = `${count} processes with the argument ${argument}`;
  await waitUntil(() => processesWith(argument).length === count, { timeoutMs: 20_000, everyMs: 5, what });
}

/**
 * A shell script that starts `sleep` three ways: as a child, in a session of its own, and as an orphan in a session of its own without
 * any environment. All three have the argument.
 */
export function strayScript(sleep: string): string {
  return `sleep ${sleep} & setsid sleep ${sleep} & (setsid env -i sleep ${sleep} >/dev/null 2>&1 &)`;
}

/** The live processes of this host that were started with that HOME, whatever sandbox they are in. */
export function processesAtHome(home: string): number[] {
  return processIds().filter((pid) => environmentOf(pid).includes(`HOME=${home}`) && isAlive({ pid }));
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return []; // gone, or another user's
  }
}
