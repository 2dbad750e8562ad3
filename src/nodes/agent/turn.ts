import type { Usage } from '../../domain/run.ts';
import type { Clock } from '../../lib/clock.ts';
import type { CrashPoint } from '../../lib/crash-point.ts';
import type { Redact } from '../../lib/redact.ts';
import type { AgentAdapter, AgentEvent, AgentFailure, AgentTurn } from '../../ports/agent.ts';
import type { ExceededBound, StepMeter } from '../../ports/agent-model.ts';
import type { Bound } from '../../ports/node.ts';
import type { Sandbox, SandboxedProcess } from '../../ports/sandbox.ts';
import type { ProgressWatch } from './progress-watch.ts';
import type { Loop } from './repetition.ts';

export interface DriveRequest {
  readonly adapter: AgentAdapter;
  readonly turn: AgentTurn;
  readonly sandbox: Sandbox;
  /** A step's limits fit. */
  readonly limits: TurnLimits;
  readonly clock: Clock;
  /** Counts what is used in place of what the agent says of it; the turn is interrupted once a bound of it is used up. */
  readonly meter?: StepMeter | undefined;
  /** Told each event; the turn is interrupted once it knows of a loop. */
  readonly progress?: ProgressWatch | undefined;
  /** Takes secrets out of what the agent says, before it is cut. */
  readonly redact?: Redact | undefined;
  /** Cancels the turn. */
  readonly signal: AbortSignal;
  readonly crashPoint: CrashPoint;
  /**
   * Told each event in order, one at a time: the agent is read no faster than this resolves. The `end` comes when nothing of the agent is
   * left, and only from a turn that was not interrupted.
   */
  readonly onEvent: (event: AgentEvent) => void | Promise<void>;
  /** Told, perhaps more than once, when the agent has said its last word and has yet to go. */
  readonly onEnding?: () => void;
  /** Told of the process before anything of it is read; what it remembers is durable when it resolves. */
  readonly onSpawned?: (process: SandboxedProcess) => void | Promise<void>;
  /** Between SIGINT, SIGTERM and SIGKILL; 5 s if not given. */
  readonly graceMs?: number;
}

export interface TurnLimits {
  /** Time without a line of output while no tool runs. */
  readonly silenceMs: number;
  readonly wallMs?: number | undefined;
  /** Tool calls that the agent began, and its final answer. */
  readonly turns?: Bound | undefined;
  /** Input and output together. */
  readonly tokens?: Bound | undefined;
  /** US dollars. */
  readonly cost?: Bound | undefined;
}

export type TurnResult =
  /** The agent said that it has finished; a claim, nothing more. */
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly failure: AgentFailure }
  | { readonly kind: 'stalled'; readonly silentMs: number }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'no-progress'; readonly loop: Loop }
  | ({ readonly kind: 'limit' } & ExceededBound)
  | { readonly kind: 'cancelled' };

export interface TurnReport {
  readonly result: TurnResult;
  /** This turn's alone. */
  readonly usage: Usage;
  readonly turns: number;
  readonly session: string | undefined;
  /** Whether the agent said, did or used anything, and so has what it was told; a session alone is begun before that. */
  readonly answered: boolean;
  /** What the agent has said since its last tool call. */
  readonly text: string;
}
