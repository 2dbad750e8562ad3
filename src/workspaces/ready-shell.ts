import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from '../lib/wait-until.ts';
import type { Sandbox, SandboxedProcess } from '../ports/sandbox.ts';

/** For so long it waits to be wanted. */
const KEPT_MS = 10_000;
/** For so long it is waited for; one that takes longer is in trouble. */
const PATIENCE_MS = 2_000;
/** A pipe takes so much at once, or nothing of it. */
const MOST_BYTES = 32 * 1024;

let count = 0;

export interface ReadyShellParts {
  readonly sandbox: Sandbox;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** A folder that nothing but the harness and its git in these walls can write to. */
  readonly folder: string;
}

/**
 * A shell in a sandbox that is started before anybody knows what it is to do, and gets its one script through a pipe: then nobody waits for
 * walls to stand. It reads nothing else until then. Ends by itself when it is not wanted for some seconds.
 */
export class ReadyShell implements AsyncDisposable {
  readonly #pipe: string;
  readonly #starting: Promise<SandboxedProcess | undefined>;
  readonly #rest: NodeJS.Timeout;
  #isTaken = false;

  constructor({ sandbox, cwd, env, folder }: ReadyShellParts) {
    // One that is on its way out must not get what is for the next.
    this.#pipe = join(folder, `script-${++count}`);
    const program = { argv: ['/bin/sh', '-c', WAIT, 'ready', this.#pipe], cwd, env } as const;
    this.#starting = sandbox.spawn(program).catch(() => undefined);
    this.#rest = setTimeout(() => void this[Symbol.asyncDispose](), KEPT_MS).unref();
  }

  /**
   * Has it run a script, once, as `sh -c` would; the caller disposes the process. Undefined when it cannot, and has run nothing: nothing of it
   * is left then.
   */
  async run(script: string): Promise<SandboxedProcess | undefined> {
    if (this.#isTaken) return undefined;
    this.#isTaken = true;
    clearTimeout(this.#rest);
    const running = await this.#starting;
    if (running === undefined) return undefined;
    try {
      if (await this.#tell(running, Buffer.from(script))) return running;
      await running[Symbol.asyncDispose]();
      return undefined;
    } finally {
      await rm(this.#pipe, { force: true });
    }
  }

  /** Whether it still can run one. */
  get isWaiting(): boolean {
    return !this.#isTaken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isTaken) return;
    this.#isTaken = true;
    clearTimeout(this.#rest);
    await (await this.#starting)?.[Symbol.asyncDispose]();
    await rm(this.#pipe, { force: true });
  }

  async #tell(running: SandboxedProcess, script: Buffer): Promise<boolean> {
    if (script.length > MOST_BYTES) return false;
    const over = new AbortController();
    void running.exited.then(() => over.abort());
    try {
      await using pipe = await this.#opened(over.signal);
      const { bytesWritten } = await pipe.write(script);
      return bytesWritten === script.length;
    } catch {
      return false; // it did not come to wait
    }
  }

  /** Where the shell does not wait yet there is no pipe, or nobody who reads from it. */
  #opened(signal: AbortSignal): Promise<FileHandle> {
    const options = { timeoutMs: PATIENCE_MS, everyMs: 1, signal, what: 'a shell to wait' };
    return waitUntil(() => openPipe(this.#pipe), options);
  }
}

/** Longer than it is kept: it ends by itself where the harness died before the walls knew whom they have to die with. */
const FORGOTTEN_SECONDS = KEPT_MS / 1000 + 1;

/** The script comes whole: nothing of it is begun before its end. */
const WAIT = `
told() { if command -v timeout >/dev/null; then timeout ${FORGOTTEN_SECONDS} cat "$1"; else cat "$1"; fi; }
{ [ ! -e "$1" ] || rm -f "$1"; } && mkfifo -m 600 "$1" && script=$(told "$1") && eval "$script"`;

async function openPipe(path: string): Promise<FileHandle | undefined> {
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const handle = await open(path, flags).catch(() => undefined);
  if (handle === undefined || (await handle.stat()).isFIFO()) return handle;
  await handle.close();
  return undefined;
}
