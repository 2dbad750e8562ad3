import { join } from 'node:path';
import { AgentEntry } from '../domain/agent-entry.ts';
import type { AgentTurn } from '../ports/agent.ts';

/** A turn without walls, in that folder, of an agent with that entry: a new session, with a HOME in `home` beside the work. */
export function turnIn(folder: string, entry: object, more: Partial<AgentTurn> = {}): AgentTurn {
  const home = join(folder, 'home');
  return {
    entry: AgentEntry.parse(entry),
    prompt: 'x',
    folder,
    home,
    inside: { folder, home },
    session: { kind: 'new' },
    run: 'r',
    node: 'n',
    step: 1,
    hostEnv: {},
    ...more,
  };
}
