import { buffer } from 'node:stream/consumers';
import { gitEnvironment } from '../lib/git/environment.ts';
import { pause } from '../lib/wait-until.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import { readable } from './raw-differences.ts';

/** Git of any size of repository reads a folder in less; one that waits for a pipe never ends. */
const PATIENCE_MS = 5_000;

/**
 * Lets go on whoever waits in the checkout for a pipe that somebody has put where git reads a file: looks for pipes after a while, and
 * removes them. First those in the places that git reads; where that was no help, all that are in the checkout, since a link may lead git
 * to any of them. Returns when the signal is aborted, which says that nobody waits any more, or after that; what takes its time for another
 * reason goes on. Told of each pipe that is removed.
 */
export async function releasePipes(
  { sandbox, tree }: { sandbox: Sandbox; tree: string },
  onRemoved: (path: string) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (const where of [GIT_READS, ANYWHERE]) {
      await pause(PATIENCE_MS, signal);
      await using running = await sandbox.spawn({
        argv: ['/bin/sh', '-c', RELEASE, 'pipes', ...where],
        cwd: tree,
        env: gitEnvironment(),
      });
      running.stderr.resume();
      const stop = (): void => void running.stop(0);
      signal.addEventListener('abort', stop, { once: true });
      const [output] = await Promise.all([buffer(running.stdout), running.exited]);
      signal.removeEventListener('abort', stop);
      for (const path of output.toString('latin1').split('\0').slice(0, -1)) onRemoved(readable(path.slice(2)));
    }
  } catch {
    // Nobody waits any more, or no program can be started: whoever waits has a limit of his own.
  }
}

const GIT_READS = ['(', '-name', '.git*', '-o', '-path', '*/.git/*', '-o', '-name', 'HEAD', ')'];
const ANYWHERE = ['-name', '*'];

/**
 * Lists and removes the pipes for which $@ holds. Whoever waits for one finds it opened, and nothing in it. It is open until its name is
 * gone: nobody can come to wait afterwards. No shell of the system's knows a name with a line end from two names, so `find` does it all.
 */
const RELEASE = `
find . -xdev -type p "$@" -print0 -exec sh -c '
for pipe; do { rm -f "$pipe"; } 3<>"$pipe"; done' sh {} + 2>/dev/null`;
