import type { Which } from '../../../lib/exec/which.ts';
import { firstChildOf } from '../../../ports/sandbox/program-below.ts';
import type { Launcher } from './pid-sandbox.ts';

/**
 * util-linux instead of bubblewrap. `setpriv` has the launcher killed when the harness dies, `--kill-child` the namespace's init when the
 * launcher does. The init is a shell: it collects orphans, and the program is not process 1, for which the kernel ignores most signals.
 */
export async function unshareWalls(
  which: Which,
  ordinaryUser: boolean,
): Promise<Launcher | { readonly missing: string }> {
  const setpriv = await which('setpriv');
  const unshare = await which('unshare');
  const shell = await which('sh');
  if (setpriv === undefined || unshare === undefined || shell === undefined) {
    return { missing: 'neither bubblewrap nor the unshare and setpriv of util-linux are installed' };
  }
  const mapped = ordinaryUser ? ['--map-current-user'] : [];
  const walls = [...mapped, '--pid', '--fork', '--kill-child=KILL', '--mount-proc'];
  return {
    mechanism: 'unshare',
    warnings: [
      'Without bubblewrap, variables whose names are not words of letters, digits and underscores may not reach the program.',
    ],
    launch: (argv) => ({
      file: setpriv,
      args: ['--pdeathsig', 'KILL', '--', unshare, ...walls, '--', shell, '-c', INIT, 'init', ...argv],
    }),
    // The report came from the init: where there is no child any more, the init has ended meanwhile.
    initOf: (launcher) => firstChildOf(launcher),
  };
}

/** Reports that it is up, then runs the program in the foreground and ends with its code, and all that is left with it. */
const INIT = 'echo up >&3; exec 3>&-; "$@"; exit $?';
