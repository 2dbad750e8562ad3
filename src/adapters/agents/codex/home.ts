import { join } from 'node:path';
import type { AgentTurn } from '../../../ports/agent.ts';
import { putFile } from '../../../ports/agent-home.ts';
import { copyLogin } from '../../../ports/agent-sign-in.ts';
import { codexConfig } from './config.ts';

/** Writes the configuration anew for each turn, and puts the login in place; returns CODEX_HOME as codex finds it. */
export async function prepareHome(turn: AgentTurn): Promise<string> {
  const folder = join(turn.home, '.codex');
  await putFile(turn.home, join(folder, 'config.toml'), codexConfig(turn.entry));
  await copyLogin(turn, join(folder, 'auth.json'));
  return join(turn.inside.home, '.codex');
}
