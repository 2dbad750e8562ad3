import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noneSandbox } from '../adapters/sandboxes/none/index.ts';
import { whichOn } from '../lib/exec/which.ts';
import type { Bridge, Sandbox, SandboxProgram } from '../ports/sandbox.ts';

/** Walls within which the folder can be written to, with ports that lead to sockets of the host. */
export type LoneNetwork = (folder: string, bridges: readonly Bridge[]) => Sandbox;

/**
 * Walls that are hardly more than a loopback of their own for each program: for tests of what has to get through such walls. Programs
 * see those of the system and the checkout. Undefined where this host cannot make them.
 */
export async function loneNetwork(): Promise<LoneNetwork | undefined> {
  const which = whichOn(process.env['PATH']);
  const [bwrap, socat] = [await which('bwrap'), await which('socat')];
  if (bwrap === undefined || socat === undefined) return undefined;
  const walls: LoneNetwork = (folder, bridges) => ({
    ...noneSandbox,
    spawn: ({ argv, ...program }: SandboxProgram) =>
      noneSandbox.spawn({
        ...program,
        argv: [bwrap, ...WALLS, '--bind', folder, folder, '--', 'sh', '-c', bridging(socat, bridges), 'sh', ...argv],
      }),
  });
  await using trial = await walls(CHECKOUT, []).spawn({
    argv: ['true'],
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '' },
  });
  trial.stdout.resume();
  trial.stderr.resume();
  return (await trial.exited).code === 0 ? walls : undefined;
}

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/** No folder in which somebody may mount something meanwhile: walls with such a folder fail when a mount below it goes away. */
const SHOWN = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc', CHECKOUT, dirname(process.execPath)];
const WALLS = [
  '--unshare-net',
  '--unshare-pid',
  '--die-with-parent',
  ...Object.entries({ '--dev': '/dev', '--proc': '/proc', '--tmpfs': '/tmp' }).flat(),
  ...SHOWN.flatMap((path) => ['--ro-bind-try', path, path]),
];

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
