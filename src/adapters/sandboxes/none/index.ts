import { messageOf, SwitchyardError } from '../../../lib/error.ts';
import { resolveProgram } from '../../../lib/exec/resolve-program.ts';
import { startProcess } from '../../../lib/exec/start.ts';
import type { Sandbox, Walls } from '../../../ports/sandbox.ts';
import { UnwalledProcess } from './unwalled-process.ts';

/** Level `none`: the program runs as if a person had started it. There is nothing to probe and little to promise. */
export const noneSandbox: Sandbox = {
  level: 'none',
  mechanism: 'session',
  summary:
    'no walls. Network, files, secrets and other processes are open to an agent as to you, and what it starts may outlive its step.',
  guarantees: ['A program and those of its children that have not detached themselves end together.'],
  warnings: [
    'There are no walls: a process that detaches itself can survive its step, and all of them survive when Switchyard is killed.',
    'Network, files, other processes and the secrets in them are open to programs as to the user who runs Switchyard.',
  ],
  inside: (path) => path,
  terminal: {
    async launch(program) {
      const env = { ...program.env, PWD: program.cwd };
      return { argv: await resolveProgram(program), cwd: program.cwd, env, reports: false };
    },
    namespaceOf: () => undefined,
  },
  async spawn(program) {
    const argv = await resolveProgram(program);
    const [file, ...args] = argv;
    const env = { ...program.env, PWD: program.cwd };
    try {
      return new UnwalledProcess(await startProcess({ file, args, cwd: program.cwd, env, input: program.input }));
    } catch (error) {
      throw new SwitchyardError({
        code: 'sandbox/cannot-start',
        message: `cannot start ${file}: ${messageOf(error)}`,
        hint: 'Run it by hand in the same folder to see more.',
        cause: error,
      });
    }
  },
};

/** The level on this host: the same for every workspace. */
export const noneWalls: Walls = {
  ...noneSandbox,
  boundsNetwork: false,
  holds: [],
  enforces: [],
  enclose: () => noneSandbox,
  namespaceOf: () => undefined,
};
