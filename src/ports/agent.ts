import type { AgentEntry } from '../domain/agent-entry.ts';
import type { Usage } from '../domain/run.ts';

/**
 * An adapter knows one coding-agent CLI: how to start a turn unattended and how to read its output. It starts nothing itself: the
 * harness runs the program in the workspace's sandbox, feeds the lines to the parser and ends what must be ended.
 */
export interface AgentAdapter {
  readonly kind: string;
  /** Patterns, relative to the agent's HOME, of the files without which a session cannot be resumed; part of each checkpoint. */
  readonly sessionFiles: readonly string[];
  /** How this agent is signed in, for `doctor`: one line, no secrets. */
  describe(entry: AgentEntry): string;
  /** The hosts (`name` or `name:port`, 443 without one) that it needs for its model, where the entry has no endpoint that says so. */
  hosts?(entry: AgentEntry): readonly string[];
  /**
   * The program for one turn. May write configuration below `turn.home`. Rejects with a SwitchyardError when the entry is not
   * usable (`agent/not-found`, `agent/no-key`), or HOME is not (`agent/unsafe-home`), whose hint says what to do.
   */
  command(turn: AgentTurn): Promise<AgentCommand>;
  /** A parser for one turn's output. */
  parser(turn: AgentTurn): AgentParser;
  /**
   * The program with which a person goes on with `turn.session` in a terminal, in the workspace: the same HOME, endpoint and sign-in as a
   * turn's, and no `input`, since standard input is the terminal. `turn.prompt` is ignored. TERM is `hostEnv`'s; whoever knows the person's
   * own terminal sets it. Writes and rejects as `command` does. Absent where the agent has no such program.
   */
  interactive?(turn: AgentTurn): Promise<AgentCommand>;
}

export interface AgentTurn {
  readonly entry: AgentEntry;
  readonly prompt: string;
  /** The workspace, which is the agent's working directory. */
  readonly folder: string;
  /** A private HOME that lives as long as the run. */
  readonly home: string;
  /** Where the agent's program finds these two: what it is told, in arguments, environment and configuration. */
  readonly inside: { readonly folder: string; readonly home: string };
  /** Whether the walls have programs of their own: a bare name in `command` is looked up there, when it is started. */
  readonly hasOwnPrograms?: boolean;
  readonly session: { readonly kind: 'new' } | { readonly kind: 'resume' | 'fork'; readonly id: string };
  readonly run: string;
  readonly node: string;
  /** Which step of that node this is, counted from 1. */
  readonly step: number;
  /** Environment of the harness's own process, from which keys named in the entry are taken. */
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
}

export interface AgentCommand {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Files and folders of the host that it needs to read, beside its program. */
  readonly reads?: readonly string[];
}

/** Reads a turn's output line by line. Never throws: a line that cannot be read is no event. */
export interface AgentParser {
  line(line: string): readonly AgentEvent[];
  /** Called once when the program has ended, with the last of its error output. Yields the final event if none came. */
  end(exit: { code: number | null; signal: string | null; stderr: string }): readonly AgentEvent[];
}

/** Shaped after ACP's updates, in the order of a turn's life. Exactly one `end` is the last. */
export type AgentEvent =
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tool-started'; readonly call: string; readonly name: string; readonly input: string }
  | {
      readonly kind: 'tool-ended';
      readonly call: string;
      readonly name: string;
      readonly output: string;
      readonly ok: boolean;
    }
  | { readonly kind: 'usage'; readonly usage: Usage }
  | { readonly kind: 'warning'; readonly text: string }
  | { readonly kind: 'end'; readonly result: AgentResult };

export type AgentResult = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly failure: AgentFailure };

export interface AgentFailure {
  readonly class: 'auth' | 'quota' | 'rate-limit' | 'network' | 'bug' | 'refused' | 'unknown-session' | 'unknown';
  readonly message: string;
  readonly hint: string;
}
