import { join } from 'node:path';
import type { AgentEntry } from '../domain/agent-entry.ts';
import type { RunSettings } from '../domain/settings.ts';
import type { AgentAdapter } from '../ports/agent.ts';
import type { Egress, EgressRules } from '../ports/egress.ts';
import type { Enclosure, Sandbox, SandboxProgram, Walls } from '../ports/sandbox.ts';
import type { Layout } from '../workspaces/layout.ts';
import { sourceObjects } from '../workspaces/source-objects.ts';

/** Where programs find their workspace and their HOME, whichever run it is: what a tool writes down of a path holds in the next one too. */
export const INSIDE = { folder: '/workspace', home: '/home/agent', tmp: '/tmp' } as const;

/**
 * Walls for the harness's own git over files that an agent may have written: checkout, git directory and agents' HOMEs, each at its own place,
 * and no network. HOMEs are writable, since session files are put back through the walls that save them. Of the git store there are the
 * objects, not what other runs' refs are, and not the key of their checkpoints.
 */
export function gitSandbox(walls: Walls, { layout, store }: { layout: Layout; store: string }): Sandbox {
  const objects = ['objects', 'lfs/objects'].map((name) => join(store, name));
  const mounts = [
    ...[...objects, sourceObjects(store), layout.objects].map((path) => ({
      host: path,
      inside: path,
      writable: false,
    })),
    ...[layout.git, layout.tree, layout.homes].map((path) => ({ host: path, inside: path, writable: true })),
  ];
  return walls.enclose({ mounts, network: { kind: 'none' }, limits: {}, counted: [] });
}

export interface ProgramsParts {
  readonly walls: Walls;
  readonly layout: Layout;
  /** The git store's folder: what was fetched into it is readable, since the agent's git directory builds on it, and nothing else. */
  readonly store: string;
  /** Their HOME on the host. */
  readonly home: string;
  readonly settings: Pick<RunSettings, 'resources'>;
  /** Opens the ways out, once; told only when a program is started. */
  readonly egress: () => Promise<Egress>;
}

/** Walls for what a run starts: the workspace, a HOME and a /tmp of its own, and no more of the network than the ways out lead to. */
export function programsSandbox({ walls, layout, store, home, settings, egress }: ProgramsParts): Sandbox {
  const objects = [sourceObjects(store), layout.objects];
  const enclosure: Enclosure = {
    mounts: [
      { host: layout.tmp, inside: INSIDE.tmp, writable: true },
      { host: home, inside: INSIDE.home, writable: true },
      { host: layout.tree, inside: INSIDE.folder, writable: true },
      // Last: the harness's home may itself lie below what /tmp is on the host.
      ...objects.map((path) => ({ host: path, inside: path, writable: false })),
    ],
    network: { kind: 'open' },
    limits: settings.resources ?? {},
    counted: [layout.root],
  };
  const open = walls.enclose(enclosure);
  // Levels that leave the network open need no ways out.
  if (!walls.boundsNetwork) return open;
  const behind = async () => {
    const { bridges, env } = await egress();
    return { env, sandbox: walls.enclose({ ...enclosure, network: { kind: 'bridged', bridges } }) };
  };
  const withWays = (program: SandboxProgram, env: Egress['env']) => ({ ...program, env: { ...env, ...program.env } });
  const { terminal } = open;
  return {
    ...open,
    async spawn(program) {
      const { sandbox, env } = await behind();
      return sandbox.spawn(withWays(program, env));
    },
    ...(terminal === undefined
      ? {}
      : {
          terminal: {
            ...terminal,
            async launch(program) {
              const { sandbox, env } = await behind();
              return (sandbox.terminal ?? terminal).launch(withWays(program, env));
            },
          },
        }),
  };
}

/** What a run's policy lets commands and checks reach: `packages`, and hosts by name. */
export function egressRules(network: readonly string[]): EgressRules {
  return {
    hosts: network.filter((word) => word !== 'model' && word !== 'packages'),
    packages: network.includes('packages'),
    loopback: [],
  };
}

/** The same for an agent: its model too, where it goes there by itself and not by way of the gateway. */
export function agentEgressRules(
  network: readonly string[],
  { entry, adapter }: { entry: AgentEntry; adapter: AgentAdapter },
): EgressRules {
  const rules = egressRules(network);
  if (!network.includes('model') || entry.endpoint !== undefined) return rules;
  return { ...rules, hosts: [...rules.hosts, ...(adapter.hosts?.(entry) ?? [])] };
}
