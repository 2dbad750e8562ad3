import type { AgentTurn } from '../../ports/agent.ts';
import type { StepContext } from '../../ports/node.ts';
import type { Workspace } from '../../ports/workspace.ts';
import type { Checked } from './done-when.ts';
import type { TurnReport } from './turn.ts';

export type Agent = ReturnType<StepContext['agents']['resolve']>;

/** What a turn says to the agent, and in which session. */
export interface Saying {
  /** What the turn is for: the step's task, or what came up meanwhile. */
  readonly why: 'task' | 'lost-session' | 'failure' | 'silence' | 'person' | 'checks';
  readonly prompt: string;
  readonly session: AgentTurn['session'];
  /** The inherited session that this one stands for from then on. */
  readonly goesOnFor?: string | undefined;
}

/** One step's talk with its agent. */
export interface Conversation {
  readonly context: StepContext;
  readonly agent: Agent;
  readonly workspace: Workspace;
  /** The agent's private HOME. */
  readonly home: string;
  /** Told when a turn may be over soon: once its agent is at work, since some take no time, and at the agent's last word. */
  readonly onEnding?: () => void;
}

export interface Turn {
  readonly saying: Saying;
  readonly report: TurnReport;
  /** What the checks of `done-when` said after it, where they ran. */
  checked?: Checked;
}

/** In their order; never empty. */
export type Turns = readonly [Turn, ...Turn[]];

/** What the agent was asked before anything went wrong with its turns: the task, or a later word. */
export function askedLast(turns: Turns): Saying {
  return (turns.findLast(({ saying }) => saying.why !== 'failure' && saying.why !== 'silence') ?? turns[0]).saying;
}

/** The session in which a further turn goes on: the one that the last turn told, or the one that it was to resume. */
export function sessionAfter({ saying, report }: Turn): string | undefined {
  return report.session ?? (saying.session.kind === 'resume' ? saying.session.id : undefined);
}
