import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { ThreadUsage } from './events.ts';

// Codex keeps each thread in a file `sessions/YEAR/MONTH/DAY/rollout-TIME-ID.jsonl` below CODEX_HOME.

/** How much of its end is looked at; between two counts there may be a tool's whole output. */
const TAIL_BYTES = 1024 * 1024;

/** The file of that thread below the agent's HOME; undefined when there is none. */
export function findRollout(home: string, thread: string): string | undefined {
  const sessions = join(home, '.codex', 'sessions');
  try {
    const name = readdirSync(sessions, { recursive: true, encoding: 'utf8' }).find((file) =>
      file.endsWith(`-${thread}.jsonl`),
    );
    return name === undefined ? undefined : join(sessions, name);
  } catch {
    return undefined; // no session was ever kept here
  }
}

/** What that thread has used in all, from its very beginning; undefined when its file does not say. */
export function usedByThread(home: string, thread: string): ThreadUsage | undefined {
  const file = findRollout(home, thread);
  const lines = file === undefined ? [] : tailOf(file).split('\n');
  const last = lines.findLast((line) => line.includes('"token_count"') && totalIn(line) !== undefined);
  return last === undefined ? undefined : totalIn(last);
}

function totalIn(line: string): ThreadUsage | undefined {
  try {
    const entry = JSON.parse(line) as { payload?: { info?: { total_token_usage?: unknown } } };
    return ThreadUsage.safeParse(entry.payload?.info?.total_token_usage).data;
  } catch {
    return undefined; // half a line, at the cut or at the end
  }
}

function tailOf(file: string): string {
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const length = readSync(handle, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8', 0, length);
  } finally {
    closeSync(handle);
  }
}
