import { join } from 'node:path';
import type { ResourceName } from '../../../domain/sandbox.ts';
import { messageOf } from '../../../lib/error.ts';
import { readControl, readNumber } from '../../../lib/resources/control-file.ts';
import { openFilesFor, openFilesOf } from '../../../lib/resources/open-files.ts';
import { groupsOf } from './container-group.ts';
import { initOf } from './remains.ts';
import { type ContainerHost, startContainer } from './start-container.ts';

/**
 * Runs a program in a container with limits and with a bridge, and says which of the limits the kernel was told. Where that does not work
 * with limits, without those of all processes together: some hosts can hold nobody to anything. Otherwise why it does not work at all.
 */
export async function tryContainer(
  host: ContainerHost,
): Promise<{ readonly enforces: readonly ResourceName[] } | { readonly missing: string }> {
  try {
    return { enforces: await heldTo(host, LIMITS) };
  } catch (withLimits) {
    try {
      return { enforces: await heldTo(host, { openFiles: LIMITS.openFiles }) };
    } catch {
      return { missing: messageOf(withLimits) };
    }
  }
}

/** What an engine can hold containers to. */
export const HOLDABLE = ['memory', 'cpus', 'processes', 'openFiles'] as const;

const LIMITS = { memory: 128 * 2 ** 20, cpus: 0.5, processes: 64, openFiles: 2000 } as const;

async function heldTo(host: ContainerHost, limits: Partial<typeof LIMITS>): Promise<readonly ResourceName[]> {
  // Nobody listens on the socket, and nobody comes to the port.
  const network = { kind: 'bridged', bridges: [{ port: 4000, socket: join(host.folder, 'nobody.sock') }] } as const;
  const program = { argv: ['sleep', '60'], cwd: '/', env: { PATH: '/usr/bin:/bin' } } as const;
  await using running = await startContainer(host, {
    enclosure: { mounts: [], network, limits, counted: [] },
    program,
  });
  return limitsInForce(initOf(running.namespace ?? ''));
}

/** Each version of control groups has files of its own for them. */
function limitsInForce(init: number): ResourceName[] {
  const { memory = '', cpu = '', pids = '' } = groupsOf(init);
  const isHeld: Record<(typeof HOLDABLE)[number], boolean> = {
    memory: [readNumber(memory, 'memory.max'), readNumber(memory, 'memory.limit_in_bytes')].includes(LIMITS.memory),
    cpus: readControl(cpu, 'cpu.max') === '50000 100000' || readNumber(cpu, 'cpu.cfs_quota_us') === 50_000,
    processes: readNumber(pids, 'pids.max') === LIMITS.processes,
    openFiles: openFilesOf(init) === openFilesFor(LIMITS).hard,
  };
  return HOLDABLE.filter((name) => isHeld[name]);
}
