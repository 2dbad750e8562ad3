import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Kills a child with SIGKILL and waits for its end; nothing where it has ended already. */
export async function killChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
