import { resolveProgram } from '../../../lib/exec/resolve-program.ts';
import { identifyInit, namespaceName } from '../../../ports/sandbox/namespace-name.ts';
import { startWalled } from '../../../ports/sandbox/start-walled.ts';
import type { Sandbox, SandboxedProcess, SandboxProgram } from '../../../ports/sandbox.ts';

/** A way to start programs in a pid namespace that dies with the harness. */
export interface Launcher {
  readonly mechanism: string;
  readonly warnings: readonly string[];
  /** The launcher's command line. It reports one line on descriptor 3 once the namespace's init runs. */
  launch(argv: readonly string[]): { readonly file: string; readonly args: readonly string[] };
  /** The init as a pid of the host, given the launcher's pid and its report; undefined when it has ended already. */
  initOf(launcher: number, report: string): number | undefined;
  /**
   * For one that reports before its walls stand, and may still fail through nobody's fault: whether they stood, by all that it has reported
   * when it has ended.
   */
  readonly stood?: (reports: string) => boolean;
}

/** How often walls are tried that something mounted, moved or taken down elsewhere on the machine gets in the way of. */
const TRIES = 5;

/** Level `pid`: nothing that a program starts outlives it, and nothing else is walled off. */
export function pidSandbox(walls: Launcher): Sandbox {
  return {
    level: 'pid',
    mechanism: walls.mechanism,
    summary: 'what an agent starts ends with its step. Network, files and secrets stay open to it as to you.',
    guarantees: [
      'Everything that a program starts ends with it, also what detached itself.',
      'Nothing of it is left when Switchyard itself is killed.',
      'Its processes neither see nor signal those outside.',
    ],
    warnings: [
      'Network, files and the secrets in them are open to programs as to the user who runs Switchyard.',
      'What a program has a service outside start (docker, systemd, cron) outlives it.',
      ...walls.warnings,
    ],
    inside: (path) => path,
    spawn: (program) => spawnWithin(walls, program),
    terminal: {
      async launch(program) {
        const { file, args } = walls.launch(await resolveProgram(program));
        return { argv: [file, ...args], cwd: program.cwd, env: { ...program.env, PWD: program.cwd }, reports: true };
      },
      namespaceOf: (launcher, report) => namespaceName(identifyInit(walls.initOf(launcher, report))),
    },
  };
}

async function spawnWithin(walls: Launcher, program: SandboxProgram): Promise<SandboxedProcess> {
  const argv = await resolveProgram(program);
  const { cwd, input } = program;
  // bubblewrap and shells set PWD anyway; this way it is there, and right, whatever makes the walls.
  const env = { ...program.env, PWD: cwd };
  const launcher = { ...walls.launch(argv), cwd, env, ...(input === undefined ? {} : { input }) };
  const initOf = (pid: number, report: string) => walls.initOf(pid, report);
  for (let left = TRIES - 1; ; left -= 1) {
    const started = await startWalled({ launcher, name: argv[0], initOf });
    if (walls.stood === undefined || left === 0 || (await started.began(walls.stood))) return started;
    await started[Symbol.asyncDispose]();
  }
}
