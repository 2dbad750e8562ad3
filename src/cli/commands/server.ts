import { createClient } from '../../api/client.ts';
import type { Health } from '../../api/schemas/server.ts';
import { counted } from '../../lib/counted.ts';
import { messageOf, SwitchyardError } from '../../lib/error.ts';
import { resolveHome } from '../../lib/home.ts';
import { closeInherited } from '../../lib/inherited-descriptors.ts';
import { printableLine } from '../../lib/printable.ts';
import { keepHeapSmall } from '../../lib/small-heap.ts';
import { findServer } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';
import { ago } from '../render/amount.ts';
import { startDaemon } from '../start-daemon.ts';
import { stopDaemon } from '../stop-daemon.ts';

export interface ServerOptions {
  readonly testMode?: boolean;
  readonly foreground?: boolean;
  /** False with --no-worker. */
  readonly worker?: boolean;
  readonly json?: boolean;
  readonly server?: string;
}

/** Starts this home's daemon in the background, or says that it runs. */
export async function serverUp(context: CommandContext, options: ServerOptions): Promise<number> {
  if (options.foreground === true) return await serverRun(context, options);
  const { env } = context;
  const own = { ...context, env: { ...env, SWITCHYARD_SERVER: undefined } };
  const client = createClient(findServer(own).address);
  const testMode = options.testMode ?? false;
  await startDaemon(own, client, { testMode });
  const health = await client.call('health', {});
  if (testMode && !health.testMode) {
    throw new SwitchyardError({
      code: 'daemon/not-in-test-mode',
      message: `A daemon without test mode runs already (process ${health.pid}).`,
      hint: 'Stop it with `switchyard server down`, then start it again.',
    });
  }
  return print(context, options, health, (value) => describe(value, context.clock.now()));
}

/** Is the daemon, until it is told to stop. */
export async function serverRun(context: CommandContext, options: ServerOptions): Promise<number> {
  closeInherited();
  keepHeapSmall(); // before all that it is made of is loaded: the heap never shrinks again
  const { runDaemon } = await import('../../daemon/main.ts');
  return await runDaemon({ env: context.env, testMode: options.testMode ?? false, works: options.worker ?? true });
}

/** Stops the daemon and waits until its process is gone. That none runs is no failure. */
export async function serverDown(context: CommandContext, options: ServerOptions): Promise<number> {
  const { address } = findServer(context, options.server);
  const stopped = await stopDaemon(address);
  return print(context, options, { schema: 1, stopped }, () => [
    stopped ? 'The daemon has stopped. Runs that are not over go on when it is back.' : 'No daemon runs.',
  ]);
}

/**
 * Replaces the daemon by one of this version, in the same mode. Agents at work are stopped with all that they have done saved, and go
 * on in the new one. One that does not run is started. Nothing is stopped while config.yaml cannot be read: no daemon would start with it.
 */
export async function serverRestart(context: CommandContext, options: ServerOptions): Promise<number> {
  const own = { ...context, env: { ...context.env, SWITCHYARD_SERVER: undefined } };
  await refuseBrokenConfiguration(own);
  const client = createClient(findServer(own).address);
  const testMode = await client.call('health', {}).then(
    (health) => health.testMode,
    () => false,
  );
  await stopDaemon(findServer(own).address, { restart: true });
  await startDaemon(own, client, { testMode });
  return print(context, options, await client.call('health', {}), (value) => describe(value, context.clock.now()));
}

async function refuseBrokenConfiguration({ env }: CommandContext): Promise<void> {
  const { openMachineSettings } = await import('../../daemon/machine-settings.ts');
  const home = resolveHome(env);
  try {
    await openMachineSettings(home).reload();
  } catch (error) {
    throw new SwitchyardError({
      code: 'config/invalid',
      message: messageOf(error),
      hint: `Nothing was stopped. Mend ${home.config}, then try again.`,
      cause: error,
    });
  }
}

/** Exit code 69 when no daemon runs, as for every command that needs one. */
export async function serverStatus(context: CommandContext, options: ServerOptions): Promise<number> {
  const client = createClient(findServer(context, options.server).address);
  return print(context, options, await client.call('health', {}), (health) => describe(health, context.clock.now()));
}

function describe(health: Health, now: number): string[] {
  const { runs } = health;
  const timed = runs.timed ?? 0;
  const alone = timed === 0 ? '' : `, ${timed} waiting to go on by ${timed === 1 ? 'itself' : 'themselves'}`;
  const since = `, started ${ago(Date.parse(health.startedAt), now)}`;
  return [
    `The daemon runs: version ${printableLine(health.version)}, process ${health.pid}${since}${health.testMode ? ', in test mode' : ''}.`,
    `  home      ${printableLine(health.home)}`,
    `  database  ${health.database}`,
    `  runs      ${runs.running} running, ${runs.queued} queued, ${runs.parked - timed} waiting for a person${alone}`,
    ...health.workers.map(
      (worker) =>
        `  worker    ${printableLine(worker.machine)}, process ${worker.pid}${worker.self ? ' (in the daemon)' : ''}: ${counted(worker.running, 'step')}`,
    ),
  ];
}
