import { createClient } from '../../api/client.ts';
import { messageOf, SwitchyardError } from '../../lib/error.ts';
import { type AgentsToExamine, agentRows } from './agents.ts';
import type { DoctorRow } from './report.ts';

/** Longer than programs are given to say their version, and addresses to answer. */
const PATIENCE_MS = 30_000;

/**
 * Agents with what they sign in with. Runs find programs and keys in the environment that the daemon was started with: where one answers,
 * it looks itself, else they are looked for in the one given, which a daemon would be started with now. A row says which it was.
 */
export async function agentRowsAsRunsFindThem(asked: AgentsToExamine): Promise<DoctorRow[]> {
  const { config, home, online, signal } = asked;
  if (Object.keys(config.agents).length === 0) return agentRows(asked);
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const limit = signal === undefined ? patience : AbortSignal.any([patience, signal]);
  try {
    const { pid, rows } = await createClient({ socket: home.socket }).call('examineAgents', { online }, {}, limit);
    return [lookedIn(`that of the daemon (process ${pid}), where runs find their keys and programs`), ...rows];
  } catch (error) {
    signal?.throwIfAborted();
    return [whyHere(error), ...(await agentRows(asked))];
  }
}

function whyHere(error: unknown): DoctorRow {
  if (error instanceof SwitchyardError && error.code === 'daemon/unavailable') {
    return lookedIn('that of this shell: no daemon runs, and one that is started here gets it');
  }
  return {
    ...lookedIn(`that of this shell: the daemon, which may have others, does not tell (${messageOf(error)})`),
    level: 'warning',
    hint: 'After `switchyard server restart` here they are the same.',
  };
}

function lookedIn(text: string): DoctorRow {
  return { level: 'info', name: 'environment', text };
}
