import { endsWithin } from '../../../lib/exec/ends-within.ts';
import type { StartedProcess } from '../../../lib/exec/start.ts';
import { descendants, isAlive, type ProcessIdentity, processStart, sendSignal } from '../../../lib/processes.ts';
import { waitUntil } from '../../../lib/wait-until.ts';
import type { Exit, SandboxedProcess } from '../../../ports/sandbox.ts';
import { sessionMembers } from './session-members.ts';

/** How long a stray that holds the output of an ended program may keep the harness from its end. */
const OUTPUT_MS = 1000;
const KILL_TIMEOUT_MS = 30_000;

/**
 * A program without walls, as the leader of its own session. It ends together with that session and with what a walk down the tree
 * finds; what was orphaned in another session before the walk is missed, which is why this level warns.
 */
export class UnwalledProcess implements SandboxedProcess {
  readonly pid: number;
  readonly namespace = undefined;
  readonly stdin: SandboxedProcess['stdin'];
  readonly stdout: SandboxedProcess['stdout'];
  readonly stderr: SandboxedProcess['stderr'];
  readonly exited: Promise<Exit>;
  readonly #started: StartedProcess;
  readonly #known = new Map<number, ProcessIdentity>();
  #hasEnded = false;

  constructor(started: StartedProcess) {
    this.pid = started.pid;
    this.stdin = started.stdin;
    this.stdout = started.stdout;
    this.stderr = started.stderr;
    this.#started = started;
    this.exited = this.#settle();
  }

  async stop(graceMs: number): Promise<void> {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      if (graceMs <= 0 || this.#hasEnded) break;
      // Remembered before each signal: once the parent is gone, its children cannot be found any more.
      this.#remember();
      sendSignal(this.pid, signal);
      await endsWithin(this.#started.ended, graceMs);
    }
    await this.#kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill();
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream.destroy();
    await this.exited;
  }

  async #kill(): Promise<void> {
    const gone = () => {
      this.#remember();
      const alive = [...this.#known.values()].filter((member) => isAlive(member));
      for (const member of alive) sendSignal(member.pid, 'SIGKILL');
      return alive.length === 0;
    };
    await waitUntil(gone, { timeoutMs: KILL_TIMEOUT_MS, everyMs: 2, what: 'the end of a program and its children' });
    if (!this.#hasEnded) sendSignal(-this.pid, 'SIGKILL'); // all that can be done where processes cannot be listed
    await this.#started.ended;
  }

  #remember(): void {
    const tree = this.#hasEnded ? [] : [this.pid, ...descendants(this.pid)];
    for (const pid of [...tree, ...sessionMembers(this.pid)]) {
      const start = processStart(pid);
      if (start !== undefined && !this.#known.has(pid)) this.#known.set(pid, { pid, start });
    }
  }

  async #settle(): Promise<Exit> {
    const exit = await this.#started.ended;
    this.#hasEnded = true;
    await this.#kill().catch(() => undefined); // told by `stop` and by disposal, which do the same again
    if (!(await endsWithin(this.#started.closed, OUTPUT_MS))) {
      for (const stream of [this.stdout, this.stderr]) stream.destroy();
      await this.#started.closed;
    }
    return exit;
  }
}
