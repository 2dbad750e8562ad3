import type { Readable, Writable } from 'node:stream';
import type { ResourceLimits, ResourceName, SandboxLevel, WallProperty } from '../domain/sandbox.ts';

/** What a level promises on this host. */
export interface SandboxDescription {
  readonly level: SandboxLevel;
  /** What makes the walls here, for instance `bubblewrap` or `unshare`. */
  readonly mechanism: string;
  /** What holds and what does not, in one or two short sentences, for the beginning of each run. */
  readonly summary: string;
  /** What this level promises on this host, one sentence each, for `doctor` and the run's record. */
  readonly guarantees: readonly string[];
  /** What it does not promise here, likewise; empty when nothing need be said. */
  readonly warnings: readonly string[];
  /** Whether programs within are not those of this host, as those of an image are not: names are looked up there when one is started. */
  readonly hasOwnPrograms?: boolean;
}

/** A level as this host can give it: makes the sandbox of one workspace. */
export interface Walls extends SandboxDescription {
  /** Whether programs reach nothing but what the enclosure says. */
  readonly boundsNetwork: boolean;
  /** Which properties hold on this host; what `guarantees` says at length. */
  readonly holds: readonly WallProperty[];
  /** Which limits of the enclosure programs are held to here. */
  readonly enforces: readonly ResourceName[];
  /** Nothing is started by this, and nothing need be disposed: walls stand as long as a program runs within them. */
  enclose(enclosure: Enclosure): Sandbox;
  /** As `Sandbox.terminal.namespaceOf`, for whoever has no sandbox at hand; undefined where walls have no name. */
  namespaceOf(launcher: number, report: string): string | undefined;
}

/** What the walls of one workspace let through. Levels without walls of that sort leave it open, and say so in their warnings. */
export interface Enclosure {
  /** Folders and files of the host that programs see beside the system's own. A later one lies on top of an earlier one. */
  readonly mounts: readonly Mount[];
  readonly network: NetworkAccess;
  readonly limits: ResourceLimits;
  /** Folders of the host whose size counts for `limits.disk`. */
  readonly counted: readonly string[];
}

/** What there is for a program that belongs to no workspace: the system's own files, and nothing that bounds it. */
export const BARE_ENCLOSURE: Enclosure = { mounts: [], network: { kind: 'open' }, limits: {}, counted: [] };

export interface Mount {
  /** Absolute; links in it have been resolved. It must exist when a program is started. */
  readonly host: string;
  /** Where programs find it. */
  readonly inside: string;
  readonly writable: boolean;
}

export type NetworkAccess =
  /** No network but a loopback of their own. */
  | { readonly kind: 'none' }
  /** The same, with ports on 127.0.0.1 that lead to unix sockets of the host. */
  | { readonly kind: 'bridged'; readonly bridges: readonly Bridge[] }
  /** The host's. */
  | { readonly kind: 'open' };

export interface Bridge {
  readonly port: number;
  /** Absolute path of the socket on the host; somebody listens on it for as long as programs may run. */
  readonly socket: string;
}

/** The walls round a workspace's processes. Setup, checks, commands, agents and harness git over agents' files all start here. */
export interface Sandbox extends SandboxDescription {
  /** Where programs find a path of the host; the same path where the walls show it at its own place, or not at all. */
  inside(path: string): string;
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
  /** A path of the host; the program finds itself in `inside(cwd)`. */
  readonly cwd: string;
  /** The whole environment; nothing is inherited. Paths in it, and in `argv`, are as the program sees them. */
  readonly env: Readonly<Record<string, string>>;
  /** Text for standard input, which is then closed; without it, standard input is empty. */
  readonly input?: string;
  /** Files and folders of the host that it needs to read, at their own paths; its program file is among them anyway. */
  readonly reads?: readonly string[];
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
  /** The limit of the enclosure that its processes ran into; such a program may have been ended for it. */
  readonly breach?: Breach;
}

export interface Breach {
  readonly limit: ResourceName;
  readonly max: number;
  /** What it came to, as far as the host can tell. */
  readonly used?: number;
}

/** What a sandbox leaves behind when the harness dies: how a later process proves that it is gone. */
export interface SandboxRemains {
  /** Ends all processes within the walls of that name; resolves when none is left. False where that cannot be known. */
  clear(namespace: string): Promise<boolean>;
}
