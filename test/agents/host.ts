import { existsSync } from 'node:fs';
import { noneSandbox } from '../../src/adapters/sandboxes/none/index.ts';
import { probePid } from '../../src/adapters/sandboxes/pid/index.ts';
import { whichOn } from '../../src/lib/exec/which.ts';
import { waitUntil } from '../../src/lib/wait-until.ts';
import type { Sandbox } from '../../src/ports/sandbox.ts';

/** The best sandbox that this machine has, as a daemon would choose it. */
export async function bestSandbox(): Promise<Sandbox> {
  const probed = await probePid(whichOn(process.env['PATH']));
  return 'missing' in probed ? noneSandbox : probed;
}

export async function untilThereIs(file: string): Promise<void> {
  await waitUntil(() => existsSync(file), { timeoutMs: 30_000, everyMs: 5, what: file });
}
