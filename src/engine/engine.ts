import type { Actor } from '../domain/actor.ts';
import type { EventPayload } from '../domain/event.ts';
import type { Clock } from '../lib/clock.ts';
import type { CrashPoint } from '../lib/crash-point.ts';
import type { Ids } from '../lib/ids.ts';
import { type Redact, redactWithin } from '../lib/redact.ts';
import type { NodeKind } from '../ports/node.ts';
import type { Database } from '../store/database.ts';
import type { NewEvent } from '../store/events.ts';
import type { Queue } from '../store/queue.ts';
import type { FleetBudgets, Spending } from './spending.ts';

/** What the engine works with; made once by the daemon. */
export interface Engine {
  readonly database: Database;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly kinds: ReadonlyMap<string, NodeKind>;
  readonly crashPoint: CrashPoint;
  readonly limits: FleetLimits;
  /** Takes the values of secrets out of everything that is stored of what programs and persons say. */
  readonly redact: Redact;
  readonly budgets: FleetBudgets;
  readonly spending: Spending;
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

/** An event with the time of now, and without secrets. */
export function event(engine: Pick<Engine, 'clock' | 'redact'>, actor: Actor, payload: EventPayload): NewEvent {
  return { actor, at: new Date(engine.clock.now()), payload: withoutSecrets(engine, payload) };
}

/** The same as it may be stored: what programs, agents and persons have said in it without the values of secrets. */
export function withoutSecrets<T>({ redact }: Pick<Engine, 'redact'>, value: T): T {
  return redactWithin(value, redact, DECIDED);
}

/** What stands at these keys is not said by anybody, but decided by the harness, a blueprint or a configuration. */
const DECIDED: ReadonlySet<string> = new Set(
  `agent attempt base blueprint check checkpoint choice choices code commit delivered end head id kind level limit node nodeKind outcome
  phase result run session state target tree verdict worker`.split(/\s+/),
);
