import { describe } from 'vitest';
import type { AgentEntry } from '../domain/agent-entry.ts';
import type { AgentAdapter } from '../ports/agent.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import { endingCases } from './agent-contract/ending.ts';
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
  | { readonly fail: true };

/** What an agent may be unable to do by its nature. */
export type Ability = 'sessions' | 'memory' | 'fork' | 'tools' | 'usage' | 'reading prompts' | 'failing tools';

export interface AgentUnderTest {
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
  /** Everything that the agent had been asked when it last began to work, from the first prompt of the conversation on. */
  prompts(): Promise<readonly string[]>;
  /** Resolves when the agent has begun to think without end, where that can be known. */
  thinking?(): Promise<void>;
}

/** Registers, with vitest, the tests that every agent's adapter passes. */
export function agentContract(subject: AgentUnderTest): void {
  describe(`${subject.title}: the contract of an agent`, () => {
    workCases(subject);
    sessionCases(subject);
    promptCases(subject);
    endingCases(subject);
  });
}
