import { readFile } from 'node:fs/promises';
import { descendants } from '../../src/lib/processes.ts';
import { pause } from '../../src/lib/wait-until.ts';
import type { Installation } from '../support/installation.ts';

/** Of `/proc`: what a second of processor time is counted in. The same on every Linux that there is. */
const TICKS_PER_SECOND = 100;

/** The processes of an installation that stay: its daemon, and the database with all its backends. Not what a run starts. */
export async function standing(installation: Installation): Promise<number[]> {
  const { pid } = await installation.client.call('health', {});
  const database = await installation.databasePid();
  return database === undefined ? [pid] : [pid, database, ...descendants(database)];
}

/** What these processes hold of memory in MB, pages that several share counted once (PSS). */
export async function memory(pids: readonly number[]): Promise<number> {
  const parts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')));
  const kibibytes = parts.map((text) => Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0));
  return kibibytes.reduce((sum, one) => sum + one, 0) / 1024;
}

/** How many points (hundredths) of one core an installation's standing processes use, over so many seconds from now on. */
export async function load(installation: Installation, seconds: number): Promise<number> {
  const pids = await standing(installation);
  const began = performance.now();
  const before = await ticks(pids);
  await pause(seconds * 1000);
  const used = ((await ticks(pids)) - before) / TICKS_PER_SECOND;
  return (100 * used) / ((performance.now() - began) / 1000);
}

/** Looks at the installation's memory every so often until disposed; then `peak` is the most that was seen. */
export class MemoryWatch implements AsyncDisposable {
  peak = 0;
  readonly #over = new AbortController();
  readonly #watching: Promise<void>;

  constructor(installation: Installation, everyMs = 500) {
    this.#watching = this.#watch(installation, everyMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }

  async #watch(installation: Installation, everyMs: number): Promise<void> {
    while (!this.#over.signal.aborted) {
      this.peak = Math.max(this.peak, await memory(await standing(installation)));
      await pause(everyMs, this.#over.signal).catch(() => undefined);
    }
  }
}

async function ticks(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      // After the name in brackets, which may hold blanks: user and system time are the twelfth and thirteenth of the rest.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    }),
  );
  return each.reduce((sum, one) => sum + one, 0);
}
