import type { Duplex } from 'node:stream';
import type { OpenFiles } from '../resources/open-files.ts';
import type { HandedFile } from './handed-file.ts';

/** A program as the leader of a session of its own, so that no terminal's Ctrl-C reaches it. */
export interface ProgramToBegin {
  /** Absolute, or relative to `cwd`; looked up nowhere. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Opens a pipe at descriptor 3 on which the program may report. */
  readonly statusPipe?: boolean;
  /** What it gets as descriptors 4, 5, … */
  readonly files?: readonly HandedFile[];
  /** Opens a pipe at the descriptor behind those, on which the program may be told something. */
  readonly gate?: boolean;
  /** What it and all that it starts are held to. */
  readonly openFiles?: OpenFiles | undefined;
}

/** A program that runs. Nobody but the caller reads its channels, writes to them or closes them, nor ends the program. */
export interface BegunProcess {
  readonly pid: number;
  /** Destroyed when all that was written to it has gone out after its end, or the program has ended. */
  readonly stdin: Duplex;
  readonly stdout: Duplex;
  readonly stderr: Duplex;
  readonly status: Duplex | undefined;
  readonly gate: Duplex | undefined;
  /** Settles when the program itself has ended, while others may still hold its channels open; never rejects. */
  readonly ended: Promise<End>;
  /** Settles after `ended`, when all its channels are closed too; never rejects. */
  readonly closed: Promise<void>;
  /** From now on this process does not stay for the program's end alone; channels are another matter. */
  unref(): void;
}

export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Rejects with the system's error when it cannot be started. */
export type Begin = (program: ProgramToBegin) => Promise<BegunProcess>;
