import { realpath } from 'node:fs/promises';
import { messageOf, SwitchyardError } from '../../../lib/error.ts';
import type { Which } from '../../../lib/exec/which.ts';
import type {
  Enclosure,
  Mount,
  Sandbox,
  SandboxDescription,
  SandboxedProcess,
  SandboxProgram,
  Walls,
} from '../../../ports/sandbox.ts';
import { profileOf } from './profile.ts';
import { SharedPorts } from './shared-ports.ts';

export interface MacosParts {
  readonly which: Which;
  /** `process.platform` of this machine. */
  readonly platform: string;
  /** The level without walls, which starts and ends the processes. */
  readonly plain: Sandbox;
}

/**
 * What takes the place of the level `bubblewrap` on a Mac: the system's own `sandbox-exec`, with a profile for each program. Believed only
 * after a program ran in it. Otherwise what is missing, as half a sentence for a person.
 */
export async function probeMacosWalls({
  which,
  platform,
  plain,
}: MacosParts): Promise<Walls | { readonly missing: string }> {
  if (platform !== 'darwin') return { missing: 'this system is not macOS' };
  const sandboxExec = await which('/usr/bin/sandbox-exec');
  if (sandboxExec === undefined) return { missing: 'this Mac has no /usr/bin/sandbox-exec' };
  const walls = macosWalls(sandboxExec, plain);
  try {
    const sandbox = walls.enclose({ mounts: [], network: { kind: 'none' }, limits: {}, counted: [] });
    await using trial = await sandbox.spawn({ argv: ['/usr/bin/true'], cwd: '/', env: {} });
    trial.stdout.resume();
    trial.stderr.resume();
    const { code } = await trial.exited;
    return code === 0 ? walls : { missing: `sandbox-exec does not work here (it ended with ${code})` };
  } catch (error) {
    return { missing: `sandbox-exec does not work here (${messageOf(error)})` };
  }
}

/** These walls whether they work or not. */
export function macosWalls(sandboxExec: string, plain: Sandbox): Walls {
  const ports = new SharedPorts();
  return {
    ...DESCRIPTION,
    boundsNetwork: true,
    holds: ['files', 'secrets', 'siblings', 'network'],
    enforces: [],
    enclose: (enclosure) => macosSandbox({ sandboxExec, plain, ports }, enclosure),
    namespaceOf: () => undefined,
  };
}

const DESCRIPTION: SandboxDescription = {
  level: 'bubblewrap',
  mechanism: 'sandbox-exec',
  summary:
    'preview: not tried on a Mac by this project. Programs see the system’s files and their workspace, and reach what the run may reach.',
  guarantees: [
    'Programs read the system’s own files and what is listed, and write to their workspace alone.',
    'They connect to nothing but the ways out that the run opens on this machine’s loopback.',
  ],
  warnings: [
    'This is a preview: the project has not tried it on a Mac.',
    'A process that detaches itself can survive its step, and all of them survive when Switchyard is killed.',
    'Every run has its workspace at another path, and ways out on the same ports: runs that may reach anything go one at a time.',
    'Programs are held to no limits of memory, processor time, processes or disk.',
  ],
};

interface Parts {
  readonly sandboxExec: string;
  readonly plain: Sandbox;
  readonly ports: SharedPorts;
}

function macosSandbox({ sandboxExec, plain, ports }: Parts, enclosure: Enclosure): Sandbox {
  const walled = async <P extends Omit<SandboxProgram, 'input'>>(program: P): Promise<P> => {
    const reads = await Promise.all((program.reads ?? []).map(resolved));
    const mounts = await Promise.all(enclosure.mounts.map(resolvedMount));
    const profile = profileOf({
      enclosure: { ...enclosure, mounts },
      reads: [...reads, ...(await fileOf(program.argv[0]))],
    });
    return { ...program, argv: [sandboxExec, '-p', profile, ...program.argv] };
  };
  return {
    ...DESCRIPTION,
    // Nothing can be shown at another place than its own here.
    inside: (path) => path,
    async spawn(program) {
      const { network } = enclosure;
      try {
        await using undo = new AsyncDisposableStack();
        if (network.kind === 'bridged') undo.use(await ports.use(network.bridges));
        const running = await plain.spawn(await walled(program));
        return withWays(running, undo.move());
      } catch (error) {
        if (error instanceof SwitchyardError) throw error;
        throw new SwitchyardError({
          code: 'sandbox/cannot-start',
          message: `cannot start ${program.argv[0]}: ${messageOf(error)}`,
          hint: 'On a Mac, runs that may reach anything go one at a time.',
          cause: error,
        });
      }
    },
  };
}

/** The same process, with which its ways out close. */
function withWays(running: SandboxedProcess, ways: AsyncDisposable): SandboxedProcess {
  const { pid, namespace, stdin, stdout, stderr } = running;
  const exited = running.exited.then(async (exit) => {
    await ways[Symbol.asyncDispose]();
    return exit;
  });
  return {
    pid,
    namespace,
    stdin,
    stdout,
    stderr,
    exited,
    stop: (graceMs) => running.stop(graceMs),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await exited;
    },
  };
}

/** Rules are about what paths lead to: `/tmp` is a link there. */
async function resolved(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

async function resolvedMount(mount: Mount): Promise<Mount> {
  return { ...mount, host: await resolved(mount.host) };
}

async function fileOf(name: string): Promise<string[]> {
  return name.startsWith('/') ? [name, await resolved(name)] : [];
}
