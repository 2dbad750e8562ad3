import { join } from 'node:path';
import { jsonLine } from '../../../ports/agent-event-lines.ts';
import { findFile, putFile, readWhole } from '../../../ports/agent-home.ts';

// Pi keeps each session in a file `TIME_ID.jsonl`. Its first line names the folder in which its tools work, wherever pi itself is started.

/** A larger one is none that a model could go on with. */
const MOST_BYTES = 256 * 1024 * 1024;

export function sessionsFolder(home: string): string {
  return join(home, '.pi', 'agent', 'sessions');
}

/** The file of that session below the agent's HOME; undefined when there is none. */
export function findSession(home: string, session: string): string | undefined {
  return findFile(home, sessionsFolder(home), { depth: 0, matches: (name) => name.endsWith(`_${session}.jsonl`) });
}

/** Makes a session that was kept in another workspace one of this folder; false when it cannot be read, and so cannot be gone on with. */
export async function moveSession(home: string, { file, folder }: { file: string; folder: string }): Promise<boolean> {
  const text = readWhole(file, MOST_BYTES);
  if (text === undefined) return false;
  const endOfHeader = text.indexOf('\n');
  const header = jsonLine(text.slice(0, endOfHeader));
  if (header === undefined || ('cwd' in header && header.cwd === folder)) return true;
  await putFile(home, file, JSON.stringify({ ...header, cwd: folder }) + text.slice(endOfHeader));
  return true;
}
