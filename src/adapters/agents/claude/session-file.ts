import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { AgentTurn } from '../../../ports/agent.ts';
import { jsonLine } from '../../../ports/agent-event-lines.ts';
import { ModelUsage } from './events.ts';

// Claude keeps each session in a file `projects/FOLDER/ID.jsonl` below its configuration, and adds to it a line with what the session has used
// and cost in all whenever a process that worked on it ends.

const CostState = z.object({
  type: z.literal('cost-state'),
  totalCostUSD: z.number(),
  modelUsage: z.record(z.string(), ModelUsage),
});
export type CostState = z.infer<typeof CostState>;

/** What the session that the turn goes on with had used and cost before; undefined for a new one and when its file does not say. */
export function usedBefore({ home, session }: AgentTurn): CostState | undefined {
  if (session.kind === 'new') return undefined;
  const file = sessionFile(home, session.id);
  const lines = file === undefined ? [] : readFileSync(file, 'utf8').split('\n');
  const last = lines.findLast((line) => line.startsWith('{"type":"cost-state"'));
  return last === undefined ? undefined : CostState.safeParse(jsonLine(last)).data;
}

function sessionFile(home: string, session: string): string | undefined {
  const projects = join(home, '.claude', 'projects');
  try {
    const name = readdirSync(projects, { recursive: true, encoding: 'utf8' }).find((file) =>
      file.endsWith(`${session}.jsonl`),
    );
    return name === undefined ? undefined : join(projects, name);
  } catch {
    return undefined; // no session was ever kept here
  }
}
