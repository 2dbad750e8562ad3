import { leftContainers as left } from '../../adapters/sandboxes/container/index.ts';
import { whichOn } from '../../lib/exec/which.ts';
import type { Home } from '../../lib/home.ts';
import type { Leftover } from './leftover.ts';
import type { Env } from './report.ts';

/** Containers of this home whose daemon or worker has ended, in whatever engine is installed. */
export async function leftContainers(home: Home, env: Env): Promise<Leftover[]> {
  const host = { which: whichOn(env['PATH']), env };
  return (await left(host, home.folder)).map((container) => ({
    kind: 'container',
    what: `the container ${container.name}`,
    proof: 'it bears this home’s name, and the process that made it has ended',
    remove: async () => ((await container.remove()) ? undefined : 'the engine does not say that it is gone'),
  }));
}
