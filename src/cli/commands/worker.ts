import { closeInherited } from '../../lib/inherited-descriptors.ts';
import { keepHeapSmall } from '../../lib/small-heap.ts';
import { findServer } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { usageError } from '../usage-error.ts';

export interface WorkerOptions {
  readonly server?: string;
  readonly testMode?: boolean;
}

/** Is one more worker, with workspaces of its own, until it is told to stop. */
export async function worker(context: CommandContext, options: WorkerOptions): Promise<number> {
  const { address: server, isOwn } = findServer(context, options.server);
  if (isOwn) {
    throw usageError(
      'A worker needs a server to work for, and a home of its own.',
      'Write: SWITCHYARD_HOME=/other/home switchyard worker --server unix:/path/to/daemon.sock',
    );
  }
  closeInherited();
  keepHeapSmall(); // before all that it is made of is loaded: the heap never shrinks again
  const { runWorker } = await import('../../daemon/worker-main.ts');
  return await runWorker({ env: context.env, server, testMode: options.testMode ?? false });
}
