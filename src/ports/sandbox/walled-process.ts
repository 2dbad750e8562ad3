import { endsWithin } from '../../lib/exec/ends-within.ts';
import type { StartedProcess } from '../../lib/exec/start.ts';
import { isAlive, type ProcessIdentity, sendSignal } from '../../lib/processes.ts';
import { waitUntil } from '../../lib/wait-until.ts';
import type { Breach, Exit, SandboxedProcess } from '../sandbox.ts';
import { exitOfWalls } from './exit-of-walls.ts';
import { programBelow } from './program-below.ts';
import type { ResourceGroup } from './resources.ts';

/** Walls stand within milliseconds; only on a machine that is very busy, or with a dead network disk, does it take longer. */
const START_TIMEOUT_MS = 10_000;

/** The kernel kills at once; only a process stuck in the kernel (a dead network disk) takes longer. */
const KILL_TIMEOUT_MS = 30_000;

interface Walled {
  readonly init: ProcessIdentity;
  readonly namespace: string;
  /** Disposed when nothing of the program is left. */
  readonly group?: ResourceGroup | undefined;
  /** All that the launcher reports; settles when it has ended. */
  readonly reports: Promise<string>;
}

/**
 * A program in a pid namespace of its own, below that namespace's init. The init is the proof of everything: the kernel kills all
 * members when it ends, and does not let it end before them.
 */
export class WalledProcess implements SandboxedProcess {
  readonly pid: number;
  readonly namespace: string;
  readonly stdin: SandboxedProcess['stdin'];
  readonly stdout: SandboxedProcess['stdout'];
  readonly stderr: SandboxedProcess['stderr'];
  readonly exited: Promise<Exit>;
  readonly #launcher: StartedProcess;
  readonly #init: ProcessIdentity;
  readonly #group: ResourceGroup | undefined;
  readonly #reports: Promise<string>;
  #hasEnded = false;
  #wasKilled = false;

  constructor(launcher: StartedProcess, { init, namespace, group, reports }: Walled) {
    this.pid = launcher.pid;
    this.namespace = namespace;
    this.#group = group;
    this.stdin = launcher.stdin;
    this.stdout = launcher.stdout;
    this.stderr = launcher.stderr;
    this.#launcher = launcher;
    this.#init = init;
    this.#reports = reports;
    this.exited = this.#settle();
  }

  /**
   * Whether the program came to run, for a launcher that reports before its walls stand and may still fail. `told`: whether it did, by all
   * that such a launcher has reported when it has ended. True as well where neither is known after a while.
   */
  async began(told: (reports: string) => boolean): Promise<boolean> {
    const runs = () => programBelow(this.#init.pid) !== undefined;
    const known = waitUntil(() => runs() || this.#hasEnded, { timeoutMs: START_TIMEOUT_MS, everyMs: 1 });
    if (!(await known.catch(() => false)) || !this.#hasEnded) return true;
    return told(await this.#reports);
  }

  async stop(graceMs: number): Promise<void> {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      if (graceMs <= 0 || !isAlive(this.#init)) break;
      const program = programBelow(this.#init.pid);
      if (program !== undefined) sendSignal(program, signal);
      await endsWithin(this.#launcher.ended, graceMs);
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
      if (!isAlive(this.#init)) return true;
      this.#wasKilled ||= !this.#hasEnded;
      sendSignal(this.#init.pid, 'SIGKILL');
      return false;
    };
    await waitUntil(gone, { timeoutMs: KILL_TIMEOUT_MS, everyMs: 2, what: 'the end of all processes of a sandbox' });
    await this.#launcher.ended;
  }

  async #settle(): Promise<Exit> {
    const exit = await this.#launcher.ended;
    this.#hasEnded = true;
    // The launcher may be a moment ahead of the namespace whose end it brings about; a member may still hold the output open.
    await this.#kill().catch(() => undefined); // told by `stop` and by disposal, which do the same again
    await this.#launcher.closed;
    const breach = await this.#leaveGroup();
    // Launchers do not agree on what they end with when their init was killed.
    const told: Exit = this.#wasKilled ? { code: null, signal: 'SIGKILL' } : exitOfWalls(exit);
    return breach === undefined ? told : { ...told, breach };
  }

  /** How a program ended is told also where its group cannot be asked or removed any more. */
  async #leaveGroup(): Promise<Breach | undefined> {
    let breach: Breach | undefined;
    try {
      breach = await this.#group?.breach();
      await this.#group?.[Symbol.asyncDispose]();
    } catch {
      // Told by the limit itself: the next program's group cannot be made either.
    }
    return breach;
  }
}
