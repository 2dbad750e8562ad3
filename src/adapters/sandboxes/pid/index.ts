import { messageOf } from '../../../lib/error.ts';
import { keepTail } from '../../../lib/exec/tail.ts';
import type { Which } from '../../../lib/exec/which.ts';
import type { Walls } from '../../../ports/sandbox.ts';
import { bubblewrapWalls } from './bubblewrap.ts';
import { type Launcher, pidSandbox } from './pid-sandbox.ts';
import { unshareWalls } from './unshare.ts';

export { pidRemains } from '../../../ports/sandbox/namespace-name.ts';

/**
 * The level `pid` as far as this host has it: with bubblewrap, else with util-linux; each is believed only after a program ran in it.
 * Otherwise what is missing, as half a sentence for a person.
 */
export async function probePid(which: Which): Promise<Walls | { readonly missing: string }> {
  const first = await probeBubblewrap(which);
  if (!('missing' in first)) return first;
  const second = await probeUnshare(which);
  if (!('missing' in second)) return second;
  return { missing: first.missing === NOT_INSTALLED ? second.missing : `${first.missing}; ${second.missing}` };
}

export async function probeBubblewrap(which: Which): Promise<Walls | { readonly missing: string }> {
  const bwrap = await which('bwrap');
  return bwrap === undefined ? { missing: NOT_INSTALLED } : tried(bubblewrapWalls(bwrap), which);
}

export async function probeUnshare(which: Which): Promise<Walls | { readonly missing: string }> {
  const walls = await unshareWalls(which, process.geteuid?.() !== 0);
  return 'missing' in walls ? walls : tried(walls, which);
}

const NOT_INSTALLED = 'bubblewrap is not installed';

async function tried(launcher: Launcher, which: Which): Promise<Walls | { readonly missing: string }> {
  const sandbox = pidSandbox(launcher);
  const program = await which('true');
  if (program === undefined) return { missing: 'there is no program `true` to try a sandbox with' };
  try {
    await using trial = await sandbox.spawn({ argv: [program], cwd: '/', env: {} });
    trial.stdout.resume();
    const errors = keepTail(trial.stderr);
    const exit = await trial.exited;
    const namespaceOf = (pid: number, report: string) => sandbox.terminal?.namespaceOf(pid, report);
    if (exit.code === 0)
      return {
        ...sandbox,
        boundsNetwork: false,
        holds: ['ends', 'processes'],
        enforces: [],
        enclose: () => sandbox,
        namespaceOf,
      };
    return {
      missing: `${launcher.mechanism} does not work here (${errors.text().trim() || 'it ended without a word'})`,
    };
  } catch (error) {
    return { missing: `${launcher.mechanism} does not work here (${messageOf(error)})` };
  }
}
