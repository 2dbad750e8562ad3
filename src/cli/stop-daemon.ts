import { createClient, type ServerAddress } from '../api/client.ts';
import { isAlive, processStart } from '../lib/processes.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { isLost } from './failure.ts';

/** A daemon that is busy finishes the turns of its agents within a bounded time of its own; this is longer. */
const LONGEST_STOP_MS = 120_000;

/**
 * Stops the server and waits until its process is gone; false when none answered. Those who watch its runs leave it stopped, unless it is
 * about to be started again (`restart`).
 */
export async function stopDaemon(address: ServerAddress, { restart = false } = {}): Promise<boolean> {
  const client = createClient(address);
  const health = () => unlessLost(() => client.call('health', {}));
  const found = await health();
  if (found === undefined) return false;
  const daemon = { pid: found.pid, start: processStart(found.pid) };
  await unlessLost(() => client.call('stop', { restart }));
  // A server elsewhere is not among our processes: that it no longer answers is all that can be seen of it.
  const isHere = 'socket' in address;
  await waitUntil(async () => (await health()) === undefined && !(isHere && isAlive(daemon)), {
    timeoutMs: LONGEST_STOP_MS,
    everyMs: 50,
    what: 'the end of the daemon',
  });
  return true;
}

async function unlessLost<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isLost(error)) return undefined;
    throw error;
  }
}
