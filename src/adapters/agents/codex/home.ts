import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentTurn } from '../../../ports/agent.ts';
import { copyLogin } from '../../../ports/agent-sign-in.ts';
import { codexConfig } from './config.ts';

/** Writes the configuration anew for each turn, and puts the login in place; returns CODEX_HOME. */
export async function prepareHome(turn: AgentTurn): Promise<string> {
  const folder = join(turn.home, '.codex');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'config.toml'), codexConfig(turn.entry), { mode: 0o600 });
  await copyLogin(turn, join(folder, 'auth.json'));
  return folder;
}
