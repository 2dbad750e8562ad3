import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentTurn } from '../../../ports/agent.ts';
import { copyLogin } from '../../../ports/agent-sign-in.ts';
import { configFolder } from './environment.ts';

/** Makes claude's folders, and puts the login in place. */
export async function prepareHome(turn: AgentTurn): Promise<void> {
  await mkdir(configFolder(turn), { recursive: true, mode: 0o700 });
  await mkdir(join(turn.home, 'tmp'), { recursive: true, mode: 0o700 });
  await copyLogin(turn, join(configFolder(turn), '.credentials.json'));
}

/** Answers, in claude's own state, what it would ask a person at a first start in this folder; the rest of that state stays. */
export async function answerFirstQuestions(turn: AgentTurn, key: string | undefined): Promise<void> {
  const file = join(configFolder(turn), '.claude.json');
  const state = await stateIn(file);
  const projects = recordIn(state, 'projects');
  const answered = {
    theme: 'dark',
    ...state,
    hasCompletedOnboarding: true,
    bypassPermissionsModeAccepted: true,
    ...(key !== undefined && { customApiKeyResponses: { approved: [key.slice(-20)], rejected: [] } }),
    projects: {
      ...projects,
      [turn.folder]: {
        ...recordIn(projects, turn.folder),
        hasTrustDialogAccepted: true,
        hasCompletedProjectOnboarding: true,
      },
    },
  };
  await writeFile(file, JSON.stringify(answered), { mode: 0o600 });
}

async function stateIn(file: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  } catch {
    return {}; // claude has not run here yet, or was ended while it wrote
  }
}

function recordIn(record: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = record[name];
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
