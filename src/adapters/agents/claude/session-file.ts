import { join } from 'node:path';
import { z } from 'zod';
import type { AgentTurn } from '../../../ports/agent.ts';
import { jsonLine } from '../../../ports/agent-event-lines.ts';
import { findFile, readEnd } from '../../../ports/agent-home.ts';
import { ModelUsage } from './events.ts';

// Claude keeps each session in a file `projects/FOLDER/ID.jsonl` below its configuration, and adds to it a line with what the session has used
// and cost in all whenever a process that worked on it ends.

/** How much of its end is looked at: a process that was killed leaves whatever it had written behind the last such line. */
const TAIL_BYTES = 16 * 1024 * 1024;

const CostState = z.object({
  type: z.literal('cost-state'),
  totalCostUSD: z.number(),
  modelUsage: z.record(z.string(), ModelUsage),
});
export type CostState = z.infer<typeof CostState>;

/** What the session that the turn goes on with had used and cost before; undefined for a new one and when its file does not say. */
export function usedBefore({ home, session }: AgentTurn): CostState | undefined {
  if (session.kind === 'new') return undefined;
  const matches = (name: string) => name.endsWith(`${session.id}.jsonl`);
  const file = findFile(home, join(home, '.claude', 'projects'), { depth: 4, matches });
  const lines = file === undefined ? [] : (readEnd(file, TAIL_BYTES)?.split('\n') ?? []);
  const last = lines.findLast((line) => line.startsWith('{"type":"cost-state"'));
  return last === undefined ? undefined : CostState.safeParse(jsonLine(last)).data;
}
