import { join } from 'node:path';
import type { AgentTurn } from '../../../ports/agent.ts';
import { makeFolder, putFile } from '../../../ports/agent-home.ts';
import { copyLogin } from '../../../ports/agent-sign-in.ts';
import { piModels, piSettings } from './config.ts';
import { sessionsFolder } from './session-file.ts';

/** Writes the configuration anew for each turn, and puts the login in place. */
export async function prepareHome(turn: AgentTurn): Promise<void> {
  const folder = agentFolder(turn);
  const models = piModels(turn.entry);
  await makeFolder(turn.home, sessionsFolder(turn.home));
  await putFile(turn.home, join(folder, 'models.json'), JSON.stringify(models));
  await putFile(turn.home, join(folder, 'settings.json'), JSON.stringify(piSettings(turn.entry)));
  await copyLogin(turn, join(folder, 'auth.json'));
}

/** Where pi keeps everything. */
export function agentFolder({ home }: Pick<AgentTurn, 'home'>): string {
  return join(home, '.pi', 'agent');
}
