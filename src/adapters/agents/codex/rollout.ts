import { join } from 'node:path';
import { findFile, readEnd } from '../../../ports/agent-home.ts';
import { ThreadUsage } from './events.ts';

// Codex keeps each thread in a file `sessions/YEAR/MONTH/DAY/rollout-TIME-ID.jsonl` below CODEX_HOME.

/** How much of its end is looked at; between two counts there may be a tool's whole output. */
const TAIL_BYTES = 1024 * 1024;

/** The file of that thread below the agent's HOME; undefined when there is none. */
export function findRollout(home: string, thread: string): string | undefined {
  const matches = (name: string) => name.endsWith(`-${thread}.jsonl`);
  return findFile(home, join(home, '.codex', 'sessions'), { depth: 4, matches });
}

/** What that thread has used in all, from its very beginning; undefined when its file does not say. */
export function usedByThread(home: string, thread: string): ThreadUsage | undefined {
  const file = findRollout(home, thread);
  const lines = file === undefined ? [] : (readEnd(file, TAIL_BYTES)?.split('\n') ?? []);
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
