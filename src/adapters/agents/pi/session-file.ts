import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonLine } from '../../../ports/agent-event-lines.ts';

// Pi keeps each session in a file `TIME_ID.jsonl`. Its first line names the folder in which its tools work, wherever pi itself is started.

export function sessionsFolder(home: string): string {
  return join(home, '.pi', 'agent', 'sessions');
}

/** The file of that session below the agent's HOME; undefined when there is none. */
export function findSession(home: string, session: string): string | undefined {
  try {
    const name = readdirSync(sessionsFolder(home)).find((file) => file.endsWith(`_${session}.jsonl`));
    return name === undefined ? undefined : join(sessionsFolder(home), name);
  } catch {
    return undefined; // no session was ever kept here
  }
}

/** Makes a session that was kept in another workspace one of this folder. */
export async function moveSession(file: string, folder: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const endOfHeader = text.indexOf('\n');
  const header = jsonLine(text.slice(0, endOfHeader));
  if (header === undefined || ('cwd' in header && header.cwd === folder)) return;
  await writeFile(file, JSON.stringify({ ...header, cwd: folder }) + text.slice(endOfHeader));
}
