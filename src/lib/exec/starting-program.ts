import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { sendSignal } from '../processes.ts';
import type { BegunProcess, End, ProgramToBegin } from './begun-process.ts';
import { endOrphan } from './end-orphan.ts';

/** How long the connections of a program that runs may take to arrive. They were made before it; one that is missing was refused here. */
const CONNECTED_MS = 5_000;

/** One program of a starter's, from the request to its end. */
export class StartingProgram {
  /** Settles when it runs and all its channels are there, or it cannot be started. */
  readonly begun: Promise<BegunProcess>;
  readonly #program: ProgramToBegin;
  readonly #begun = Promise.withResolvers<BegunProcess>();
  readonly #ended = Promise.withResolvers<End>();
  readonly #unref: () => void;
  readonly #channels = new Map<number, Socket>();
  readonly #wanted: number;
  #pid: number | undefined;
  #hasEnded = false;
  #isSettled = false;
  #late: NodeJS.Timeout | undefined;

  constructor(program: ProgramToBegin, unref: () => void) {
    this.begun = this.#begun.promise;
    this.#program = program;
    this.#unref = unref;
    this.#wanted = 3 + Number(program.statusPipe ?? false) + Number(program.gate ?? false);
  }

  /** Whether nothing is to come of it any more. */
  get isOver(): boolean {
    return this.#hasEnded && this.#isSettled;
  }

  connect(number: number, channel: Socket): void {
    this.#channels.set(number, channel);
    this.#settle();
  }

  started(pid: number): void {
    this.#pid = pid;
    this.#settle();
    if (!this.#isSettled) this.#late = setTimeout(() => this.#refuse(), CONNECTED_MS);
  }

  failed(errno: number): void {
    this.#hasEnded = true;
    this.#fail(systemError(errno, this.#program));
  }

  hasEnded(code: number, signal: number): void {
    this.#hasEnded = true;
    const name = signal === 0 ? null : (SIGNALS.get(signal) ?? null);
    this.#ended.resolve({ code: signal === 0 ? code : null, signal: name });
  }

  /** The starter has died. */
  async orphaned(): Promise<void> {
    if (this.#pid !== undefined) await endOrphan(this.#pid);
    this.#hasEnded = true;
    if (!this.#isSettled) this.#fail(new Error(`the process that was to start ${this.#program.file} was ended`));
    this.#ended.resolve({ code: null, signal: 'SIGKILL' });
  }

  #settle(): void {
    const [stdin, stdout, stderr, status, gate] = [0, 1, 2, 3, 4].map((number) => this.#channels.get(number));
    if (this.#pid === undefined || this.#channels.size < this.#wanted || !stdin || !stdout || !stderr) return;
    this.#isSettled = true;
    clearTimeout(this.#late);
    // Nothing comes from there; what was written has gone out when it is finished.
    stdin.resume().once('finish', () => stdin.destroy());
    const ended = this.#ended.promise;
    const closed = ended.then(async () => {
      stdin.destroy();
      await Promise.all([...this.#channels.values()].map(closeOf));
    });
    this.#begun.resolve({ pid: this.#pid, stdin, stdout, stderr, status, gate, ended, closed, unref: this.#unref });
  }

  #refuse(): void {
    if (this.#pid !== undefined) sendSignal(this.#pid, 'SIGKILL');
    this.#fail(systemError(constants.errno.EMFILE, this.#program));
  }

  #fail(error: Error): void {
    this.#isSettled = true;
    clearTimeout(this.#late);
    for (const channel of this.#channels.values()) channel.destroy();
    this.#begun.reject(error);
  }
}

/** A number may have several names; the first is the usual one. */
const SIGNALS = new Map(
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name as NodeJS.Signals]),
);

function closeOf(channel: Socket): Promise<void> {
  return new Promise((settle) => (channel.closed ? settle() : channel.once('close', () => settle())));
}

/** As Node tells it. */
function systemError(errno: number, { file, args }: ProgramToBegin): Error {
  const code = getSystemErrorName(-errno);
  const facts = { errno: -errno, code, syscall: `spawn ${file}`, path: file, spawnargs: args };
  return Object.assign(new Error(`spawn ${file} ${code}`), facts);
}
