import { realpath } from 'node:fs/promises';
import { SwitchyardError } from '../lib/error.ts';
import { whyNotFound } from '../lib/exec/not-found.ts';
import { type Which, whichOn } from '../lib/exec/which.ts';
import type { AgentTurn } from './agent.ts';

export interface AgentProgram {
  /** What is started unless the entry has a `command`. */
  readonly name: string;
  /** How a person gets it. */
  readonly install: string;
  /**
   * How to start what lies behind the file that was found, links resolved: for a package from npm whose command only starts another program.
   * Undefined, or a rejection, leaves the file as it is.
   */
  readonly behind?: (file: string, which: Which) => Promise<readonly [string, ...string[]] | undefined>;
}

/**
 * The program and the arguments that the entry configures for it. Rejects with `agent/not-found`; where the walls have programs of their own
 * only for a path, which names a file of this host even then.
 */
export async function findProgram(
  { entry, hostEnv, hasOwnPrograms }: AgentTurn,
  { name: usual, install, behind }: AgentProgram,
): Promise<[string, ...string[]]> {
  const [name = usual, ...args] = entry.command ?? [];
  if (hasOwnPrograms === true && !name.includes('/')) return [name, ...args];
  const which = whichOn(hostEnv['PATH']);
  const found = await which(name);
  if (found === undefined) {
    const { message, hint = `Install it (${install}), or correct \`command\` in config.yaml.` } =
      await whyNotFound(name);
    throw new SwitchyardError({ code: 'agent/not-found', message, hint });
  }
  const inner = await behind?.(await realpath(found), which).catch(() => undefined);
  return [...(inner ?? ([found] as const)), ...args];
}
