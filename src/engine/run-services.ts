import type { Service } from '../domain/service.ts';
import type { SwitchyardError } from '../lib/error.ts';
import type { Egress } from '../ports/egress.ts';
import type { Bridge, Sandbox, Walls } from '../ports/sandbox.ts';
import type { Layout } from '../workspaces/layout.ts';
import { createServices, type Services } from '../workspaces/services/services.ts';
import { enclosedEnv } from './context.ts';
import type { Host } from './host.ts';

interface Parts {
  readonly host: Host;
  readonly walls: Walls;
  readonly layout: Layout;
  readonly declared: readonly Service[] | undefined;
  /** Walls as for the run's commands, with these ports besides. */
  readonly sandboxWith: (bridges: readonly Bridge[]) => Sandbox;
  readonly signal: AbortSignal;
  readonly onEnded: (failure: SwitchyardError) => void;
}

/** The services that a run's programs find on their loopback. */
export function runServices({ host, walls, layout, declared = [], sandboxWith, signal, onEnded }: Parts): Services {
  return createServices({
    declared,
    sandboxWith,
    ownLoopback: walls.boundsNetwork,
    folder: layout.tree,
    env: enclosedEnv(host.env, sandboxWith([]), layout.home),
    temporary: host.env['TMPDIR'] ?? '/tmp',
    signal,
    onEnded,
  });
}

/** The ways out, with further ports. */
export function withBridges(egress: Egress, bridges: readonly Bridge[]): Egress {
  return bridges.length === 0 ? egress : { ...egress, bridges: [...egress.bridges, ...bridges] };
}
