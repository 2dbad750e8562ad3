import { describe } from 'vitest';
import type { AgentEntry } from '../domain/agent-entry.ts';
import type { AgentAdapter } from '../ports/agent.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import { endingCases } from './agent-contract/ending.ts';
import { faultCases } from './agent-contract/faults.ts';
import { outputCases } from './agent-contract/output.ts';
import { promptCases } from './agent-contract/prompts.ts';
import { sessionCases } from './agent-contract/sessions.ts';
import { workCases } from './agent-contract/work.ts';

/** One thing that a scripted agent does, in whatever way it does such things. */
export type Act =
  | { readonly say: string }
  /** A command for `sh`, as a tool. */
  | { readonly run: string }
  | { readonly write: { readonly path: string; readonly text: string } }
  /** Thinks without end. */
  | { readonly hang: true }
  /** Ends in an error. */
  | { readonly fail: true }
  | Fault;

/** What goes wrong between an agent and its model, which must then be the only act. */
export type Fault =
  /** Each request is answered with this status of HTTP; with `once`, the first alone. */
  | { readonly status: number; readonly once?: true }
  /** The account has nothing left, in the words of the protocol. */
  | { readonly spent: true }
  /** Each answer breaks off after its beginning. */
  | { readonly cut: true }
  /** Nobody listens at the address. */
  | { readonly refused: true };

/** What an agent may be unable to do by its nature. */
export type Ability =
  | 'sessions'
  | 'memory'
  | 'fork'
  | 'tools'
  | 'usage'
  | 'reading prompts'
  | 'failing tools'
  | 'final event'
  | 'model';

export interface AgentUnderTest {
  /** With the program's version, if it has one of its own. */
  readonly title: string;
  readonly adapter: AgentAdapter;
  /** Should have walls: without them the cases about strays are left out. */
  readonly sandbox: Sandbox;
  /** An agent that acts so, turn by turn; `folder` is its own to keep files in. */
  prepare(turns: readonly (readonly Act[])[], folder: string): Promise<PreparedAgent>;
  /** For each ability that it lacks, why; the cases that need it are left out with that reason. */
  readonly lacks: { readonly [ability in Ability]?: string };
}

export interface PreparedAgent extends AsyncDisposable {
  readonly entry: AgentEntry;
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  /** The next turn of the list is about to begin. */
  nextTurn?(): void;
  /** Everything that the agent had been asked when it last began to work, from the first prompt of the conversation on. */
  prompts(): Promise<readonly string[]>;
  /** Resolves when the agent has begun to think without end, where that can be known. */
  thinking?(): Promise<void>;
}

/**
 * Registers, with vitest, the tests that every agent's adapter passes. Its program is really started, within the sandbox, and each turn is driven
 * as a run's is. Linux only: what is left of an agent is looked for from outside, in /proc.
 */
export function agentContract(subject: AgentUnderTest): void {
  describe(`${subject.title}: the contract of an agent`, () => {
    workCases(subject);
    outputCases(subject);
    sessionCases(subject);
    promptCases(subject);
    endingCases(subject);
    faultCases(subject);
  });
}
