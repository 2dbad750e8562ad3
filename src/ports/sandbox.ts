import type { Readable, Writable } from 'node:stream';
import type { SandboxLevel } from '../domain/sandbox.ts';

/** The walls round a workspace's processes. Setup, checks, commands, agents and harness git over agents' files all start here. */
export interface Sandbox {
  readonly level: SandboxLevel;
  /** What makes the walls here, for instance `bubblewrap` or `unshare`. */
  readonly mechanism: string;
  /** What holds and what does not, in one or two short sentences, for the beginning of each run. */
  readonly summary: string;
  /** What this level promises on this host, one sentence each, for `doctor` and the run's record. */
  readonly guarantees: readonly string[];
  /** What it does not promise here, likewise; empty when nothing need be said. */
  readonly warnings: readonly string[];
  /**
   * Starts a program. Rejects only when it could not be started at all (`sandbox/cannot-start`). The caller disposes the process,
   * which ends whatever of it is left.
   */
  spawn(program: SandboxProgram): Promise<SandboxedProcess>;
  /** The same walls for a program that a person's own command line starts in its terminal. */
  readonly terminal?: SandboxTerminal;
}

export interface SandboxTerminal {
  /** What to start: it inherits the terminal, and ends when its parent does. Rejects with `sandbox/cannot-start`. */
  launch(program: Omit<SandboxProgram, 'input'>): Promise<TerminalLaunch>;
  /** The name of the walls for `SandboxRemains`, from the launcher's pid and its report; undefined at level `none`. */
  namespaceOf(launcher: number, report: string): string | undefined;
}

export interface TerminalLaunch {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Whether it writes its report, one line, to descriptor 3 once the walls stand. */
  readonly reports: boolean;
}

export interface SandboxProgram {
  /** The program and its arguments; never a shell string. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Text for standard input, which is then closed; without it, standard input is empty. */
  readonly input?: string;
}

export interface SandboxedProcess extends AsyncDisposable {
  /** The launcher's process on the host. */
  readonly pid: number;
  /** Identifies the walls for `isEmpty` after the harness was restarted; undefined at level `none`. */
  readonly namespace: string | undefined;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the program has ended and its output is closed; never rejects. */
  readonly exited: Promise<Exit>;
  /**
   * Ends the program and everything it started: SIGINT, after `graceMs` SIGTERM, then SIGKILL of all that lives within the walls.
   * Resolves when nothing is left. Disposing is the same without grace.
   */
  stop(graceMs: number): Promise<void>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** What a sandbox leaves behind when the harness dies: how a later process proves that it is gone. */
export interface SandboxRemains {
  /** Ends all processes within the walls of that name; resolves when none is left. False where that cannot be known. */
  clear(namespace: string): Promise<boolean>;
}
