import { join } from 'node:path';
import type { AgentTurn } from '../../../ports/agent.ts';
import { makeFolder, putFile, readWhole } from '../../../ports/agent-home.ts';
import { copyLogin } from '../../../ports/agent-sign-in.ts';
import { configFolder } from './environment.ts';

/** Makes claude's folders, and puts the login in place. */
export async function prepareHome(turn: AgentTurn): Promise<void> {
  await makeFolder(turn.home, configFolder(turn));
  await makeFolder(turn.home, join(turn.home, 'tmp'));
  await copyLogin(turn, join(configFolder(turn), '.credentials.json'));
}

/** Answers, in claude's own state, what it would ask a person at a first start in this folder; the rest of that state stays. */
export async function answerFirstQuestions(turn: AgentTurn, key: string | undefined): Promise<void> {
  const file = join(configFolder(turn), '.claude.json');
  const state = stateIn(file);
  const projects = recordIn(state, 'projects');
  const answered = {
    theme: 'dark',
    ...state,
    hasCompletedOnboarding: true,
    bypassPermissionsModeAccepted: true,
    ...(key !== undefined && { customApiKeyResponses: { approved: [key.slice(-20)], rejected: [] } }),
    projects: {
      ...projects,
      [turn.inside.folder]: {
        ...recordIn(projects, turn.inside.folder),
        hasTrustDialogAccepted: true,
        hasCompletedProjectOnboarding: true,
      },
    },
  };
  await putFile(turn.home, file, JSON.stringify(answered));
}

const MOST_STATE_BYTES = 64 * 1024 * 1024;

function stateIn(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readWhole(file, MOST_STATE_BYTES) ?? '{}') as Record<string, unknown>;
  } catch {
    return {}; // claude was ended while it wrote
  }
}

function recordIn(record: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = record[name];
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
