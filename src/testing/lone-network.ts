import { noneSandbox } from '../adapters/sandboxes/none/index.ts';
import { whichOn } from '../lib/exec/which.ts';
import type { Bridge, Sandbox, SandboxProgram } from '../ports/sandbox.ts';

/**
 * Walls that are nothing but a loopback of their own for each program, with ports that lead to sockets of the host: for tests of what has to
 * get through such walls. Undefined where this host cannot make them.
 */
export async function loneNetwork(): Promise<((bridges: readonly Bridge[]) => Sandbox) | undefined> {
  const which = whichOn(process.env['PATH']);
  const [bwrap, socat] = [await which('bwrap'), await which('socat')];
  if (bwrap === undefined || socat === undefined) return undefined;
  const walls = (bridges: readonly Bridge[]): Sandbox => ({
    ...noneSandbox,
    spawn: ({ argv, ...program }: SandboxProgram) =>
      noneSandbox.spawn({
        ...program,
        argv: [bwrap, ...WALLS, '--', 'sh', '-c', bridging(socat, bridges), 'sh', ...argv],
      }),
  });
  await using trial = await walls([]).spawn({ argv: ['true'], cwd: '/', env: { PATH: process.env['PATH'] ?? '' } });
  trial.stdout.resume();
  trial.stderr.resume();
  return (await trial.exited).code === 0 ? walls : undefined;
}

const WALLS = ['--dev-bind', '/', '/', '--unshare-net', '--unshare-pid', '--proc', '/proc', '--die-with-parent'];

/** Without `-t` socat cuts an answer off that takes longer than half a second after the question's end. */
function bridging(socat: string, bridges: readonly Bridge[]): string {
  const starts = bridges.map(
    ({ port, socket }) =>
      `'${socat}' -t 30 TCP-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr 'UNIX-CONNECT:${socket}' </dev/null >/dev/null 2>&1 &`,
  );
  const waits = bridges.map(
    ({ port }) =>
      `until grep -q ':${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A' /proc/net/tcp; do :; done`,
  );
  return [...starts, ...waits, 'exec "$@"'].join('\n');
}
