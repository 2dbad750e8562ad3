import { fileURLToPath } from 'node:url';
import type { Enclosure, Sandbox, SandboxDescription, SandboxTerminal } from '../../../ports/sandbox.ts';
import { insideOf } from './mounts.ts';
import { type ContainerHost, startContainer } from './start-container.ts';
import { leaveOrder } from './terminal-order.ts';

/** The walls of one workspace: every program that is started within gets a container of its own. */
export function containerSandbox(host: ContainerHost, description: SandboxDescription, enclosure: Enclosure): Sandbox {
  const { level, mechanism, summary, guarantees, warnings } = description;
  return {
    level,
    mechanism,
    summary,
    guarantees,
    warnings,
    hasOwnPrograms: true,
    inside: (path) => insideOf(enclosure.mounts, path),
    spawn: (program) =>
      startContainer(host, {
        enclosure,
        program,
      }),
    terminal: terminalOf(host, enclosure),
  };
}

/** A program of ours takes the engine's part there: it makes the container, reports its name, and holds its leash until it ends. */
function terminalOf(host: ContainerHost, enclosure: Enclosure): SandboxTerminal {
  const ours = fileURLToPath(new URL(`terminal${extension()}`, import.meta.url));
  return {
    async launch(program) {
      const order = await leaveOrder({ host, enclosure, program });
      const argv = [host.setpriv, '--pdeathsig', 'KILL', '--', process.execPath, ours, order] as const;
      return { argv, cwd: '/', env: {}, reports: true };
    },
    namespaceOf: (_launcher, report) => report,
  };
}

/** `.ts` in a checkout, `.js` in the package. */
function extension(): string {
  return import.meta.url.slice(import.meta.url.lastIndexOf('.'));
}
