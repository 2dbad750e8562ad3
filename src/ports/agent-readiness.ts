import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentEntry } from '../domain/agent-entry.ts';
import { messageOf, SwitchyardError } from '../lib/error.ts';
import { makeScratchFolder } from '../lib/scratch-folder.ts';
import type { AgentAdapter } from './agent.ts';

/** What keeps an agent from working, and what to do about it. */
export interface Unusable {
  readonly message: string;
  readonly hint: string;
}

/**
 * Prepares a turn that is never started: what keeps it from being prepared would keep a run from working. Undefined when nothing does.
 * Nothing is left behind. Programs that walls have of their own are not looked for.
 */
export async function whyUnusable(
  adapter: AgentAdapter,
  entry: AgentEntry,
  env: Readonly<Record<string, string | undefined>>,
  { hasOwnPrograms = false }: { readonly hasOwnPrograms?: boolean | undefined } = {},
): Promise<Unusable | undefined> {
  await using scratch = await makeScratchFolder(join(tmpdir(), 'switchyard-doctor-'));
  try {
    await adapter.command({
      entry,
      prompt: '',
      folder: scratch.path,
      home: scratch.path,
      inside: { folder: scratch.path, home: scratch.path },
      hasOwnPrograms,
      session: { kind: 'new' },
      run: 'doctor',
      node: 'doctor',
      step: 1,
      hostEnv: env,
    });
    return undefined;
  } catch (error) {
    return {
      message: messageOf(error),
      hint: error instanceof SwitchyardError ? error.hint : 'Correct this agent in config.yaml.',
    };
  }
}
