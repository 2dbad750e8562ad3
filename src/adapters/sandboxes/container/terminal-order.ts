import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomIds } from '../../../lib/ids.ts';
import { makeScratchFolder } from '../../../lib/scratch-folder.ts';
import type { Enclosure, SandboxProgram } from '../../../ports/sandbox.ts';
import type { ContainerHost } from './start-container.ts';

/** What the program in a person's terminal is to start. */
export interface TerminalOrder {
  readonly host: ContainerHost;
  readonly enclosure: Enclosure;
  readonly program: Omit<SandboxProgram, 'input'>;
}

/**
 * Writes the order down, for this user alone, and returns the folder in which it lies: others on this host could see arguments. Whoever
 * takes it removes it; one that nobody takes is removed with what the dead have left.
 */
export async function leaveOrder(order: TerminalOrder): Promise<string> {
  const { path } = await makeScratchFolder(join(order.host.folder, 'terminal-'));
  const { ids: _, ...host } = order.host;
  await writeFile(join(path, 'order'), JSON.stringify({ ...order, host }), { mode: 0o600 });
  return path;
}

export async function takeOrder(folder: string): Promise<TerminalOrder> {
  const order = JSON.parse(await readFile(join(folder, 'order'), 'utf8')) as TerminalOrder;
  await rm(folder, { recursive: true, force: true });
  return { ...order, host: { ...order.host, ids: randomIds } };
}
