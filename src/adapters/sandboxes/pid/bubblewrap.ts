import { SwitchyardError } from '../../../lib/error.ts';
import type { Launcher } from './pid-sandbox.ts';

/**
 * bubblewrap over the whole of the host's file system: all that it adds is the pid namespace, with an init that collects orphans. It
 * gets only the program's environment itself, since its init keeps showing that to everybody inside.
 */
export function bubblewrapWalls(bwrap: string): Launcher {
  return {
    mechanism: 'bubblewrap',
    warnings: [],
    launch: (argv) => ({
      file: bwrap,
      args: [...WALLS, '--json-status-fd', '3', '--', ...argv],
    }),
    initOf: (_launcher, report) => childPid(report),
  };
}

const WALLS = ['--dev-bind', '/', '/', '--unshare-pid', '--proc', '/proc', '--die-with-parent'];

/** bubblewrap's first report is `{"child-pid": N, …}`, the init as a pid of the host. */
function childPid(report: string): number {
  const status: unknown = JSON.parse(report);
  if (
    typeof status === 'object' &&
    status !== null &&
    'child-pid' in status &&
    typeof status['child-pid'] === 'number'
  ) {
    return status['child-pid'];
  }
  throw new SwitchyardError({
    code: 'sandbox/cannot-start',
    message: `bubblewrap reported something unknown: ${report}`,
    hint: 'Another version of bubblewrap may help; with none installed, util-linux takes its place.',
  });
}
