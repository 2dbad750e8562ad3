import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentTurn } from '../../../ports/agent.ts';
import { copyLogin } from '../../../ports/agent-sign-in.ts';
import { piModels, piSettings } from './config.ts';
import { sessionsFolder } from './session-file.ts';

/** Writes the configuration anew for each turn, and puts the login in place. */
export async function prepareHome(turn: AgentTurn): Promise<void> {
  const folder = agentFolder(turn);
  const models = piModels(turn.entry);
  await mkdir(sessionsFolder(turn.home), { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'models.json'), JSON.stringify(models), { mode: 0o600 });
  await writeFile(join(folder, 'settings.json'), JSON.stringify(piSettings(turn.entry)), { mode: 0o600 });
  await copyLogin(turn, join(folder, 'auth.json'));
}

/** Where pi keeps everything. */
export function agentFolder({ home }: AgentTurn): string {
  return join(home, '.pi', 'agent');
}
