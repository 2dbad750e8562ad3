import type { AgentEntry } from '../domain/agent-entry.ts';
import type { Usage } from '../domain/run.ts';

/** An agent's model as a step has it, by way of the gateway. */
export interface AgentModel {
  /** In place of what the configuration says of the agent. */
  readonly entry: AgentEntry;
  /** In place of variables of the same name. */
  readonly env: Readonly<Record<string, string>>;
  readonly meter: StepMeter;
}

/** What the gateway has counted of a step's attempt. */
export interface StepMeter {
  /** Until now, calls that are under way included. */
  readonly usage: Usage;
  /** The first bound that is used up. */
  readonly exceeded: ExceededBound | undefined;
  /** Resolves once a bound is used up, and never else. */
  readonly untilExceeded: Promise<ExceededBound>;
  /** What the agent itself says that it has used, to be compared. */
  reported(usage: Usage): void;
}

export interface ExceededBound {
  readonly limit: string;
  readonly used: number;
  readonly max: number;
  /** As a sentence. */
  readonly text: string;
  /** When it will be there again by itself (milliseconds since the epoch), if it will. */
  readonly until?: number;
}
