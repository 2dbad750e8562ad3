import type { Actor } from '../domain/actor.ts';
import type { EventPayload } from '../domain/event.ts';
import type { Clock } from '../lib/clock.ts';
import type { CrashPoint } from '../lib/crash-point.ts';
import type { Ids } from '../lib/ids.ts';
import type { NodeKind } from '../ports/node.ts';
import type { Database } from '../store/database.ts';
import type { NewEvent } from '../store/events.ts';
import type { Queue } from '../store/queue.ts';

/** What the engine works with; made once by the daemon. */
export interface Engine {
  readonly database: Database;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly kinds: ReadonlyMap<string, NodeKind>;
  readonly crashPoint: CrashPoint;
  readonly limits: FleetLimits;
}

/** How many steps may be worked on at once. */
export interface FleetLimits {
  /** Agents over all repositories. */
  readonly agents: number;
  readonly perRepository: number;
  readonly perProvider: Readonly<Record<string, number>>;
  /** Under which names of `perProvider` each agent counts; without an entry an agent counts under its own. */
  readonly providers?: Readonly<Record<string, readonly string[]>>;
  /** Agents that work for one person; without it, as many as there is place for. */
  readonly perPerson?: number | undefined;
  /** Steps without an agent: checks, commands, deliveries. */
  readonly others: number;
}

/** An event with the time of now. */
export function event(engine: Pick<Engine, 'clock'>, actor: Actor, payload: EventPayload): NewEvent {
  return { actor, at: new Date(engine.clock.now()), payload };
}
