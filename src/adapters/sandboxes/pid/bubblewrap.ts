import { hasRunProgram, initInReport } from '../../../ports/sandbox/bubblewrap-report.ts';
import type { Launcher } from './pid-sandbox.ts';

/**
 * bubblewrap over the whole of the host's file system: all that it adds is the pid namespace, with an init that collects orphans. It
 * gets only the program's environment itself, since its init keeps showing that to everybody inside.
 *
 * It looks up by its path whatever is mounted on the host, and gives up, with exit code 1 and after its first report, where one of them
 * was taken down or moved meanwhile, as other runs' workspaces are.
 */
export function bubblewrapWalls(bwrap: string): Launcher {
  return {
    mechanism: 'bubblewrap',
    warnings: [],
    launch: (argv) => ({
      file: bwrap,
      args: [...WALLS, '--json-status-fd', '3', '--', ...argv],
    }),
    initOf: (_launcher, report) => initInReport(report),
    stood: hasRunProgram,
  };
}

const WALLS = ['--dev-bind', '/', '/', '--unshare-pid', '--proc', '/proc', '--die-with-parent'];
