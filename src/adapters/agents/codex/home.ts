import { chmod, copyFile, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, SwitchyardError } from '../../../lib/error.ts';
import type { AgentTurn } from '../../../ports/agent.ts';
import { codexConfig } from './config.ts';

/** Writes the configuration anew for each turn, and puts the login in place; returns CODEX_HOME. */
export async function prepareHome({ entry, home }: AgentTurn): Promise<string> {
  const folder = join(home, '.codex');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'config.toml'), codexConfig(entry), { mode: 0o600 });
  if (entry.login !== undefined) await copyLogin(entry.login, join(folder, 'auth.json'));
  return folder;
}

/** Codex renews tokens in its copy, so that is replaced only when the person has signed in again since. */
async function copyLogin(login: string, copy: string): Promise<void> {
  const [source, target] = await Promise.all([modified(login), modified(copy)]);
  if (source === undefined) {
    throw new SwitchyardError({
      code: 'agent/no-key',
      message: `codex has no login: there is no file ${login}`,
      hint: 'Sign in with `codex login`, or correct `login` in config.yaml.',
    });
  }
  if (target !== undefined && target >= source) return;
  try {
    await copyFile(login, copy);
    await chmod(copy, 0o600);
  } catch (error) {
    throw new SwitchyardError({
      code: 'agent/no-key',
      message: `the login ${login} cannot be copied: ${messageOf(error)}`,
      hint: 'The user that runs Switchyard must be able to read it.',
      cause: error,
    });
  }
}

async function modified(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mtimeMs;
  } catch {
    return undefined; // not there
  }
}
