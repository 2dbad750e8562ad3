import type { CommandContext } from '../context.ts';

export interface WorkerOptions {
  readonly server?: string;
  readonly testMode?: boolean;
}

/** Is one more worker, with workspaces of its own, until it is told to stop. */
export async function worker(context: CommandContext, options: WorkerOptions): Promise<number> {
  const { runWorker } = await import('../../daemon/worker-main.ts');
  const server = options.server ?? (context.env['SWITCHYARD_SERVER'] || undefined);
  return await runWorker({ env: context.env, server, testMode: options.testMode ?? false });
}
