import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AgentEntry, keysOf } from '../domain/agent-entry.ts';
import { messageOf, SwitchyardError } from '../lib/error.ts';
import { makeScratchFolder } from '../lib/scratch-folder.ts';
import type { AgentAdapter } from './agent.ts';
import { missingKeyHint, missingKeyText } from './agent-sign-in.ts';

/** What keeps an agent from working, and what to do about it. */
export interface Unusable {
  readonly message: string;
  readonly hint: string;
}

export interface Readiness {
  /** Programs that walls have of their own are not looked for. */
  readonly hasOwnPrograms?: boolean | undefined;
  /** Names of the secrets that are stored for all repositories. */
  readonly secrets?: readonly string[];
}

/**
 * Prepares a turn that is never started: what keeps it from being prepared would keep a run from working. Undefined when nothing does.
 * Nothing is left behind. All keys are looked for, the spare ones too.
 */
export async function whyUnusable(
  adapter: AgentAdapter,
  entry: AgentEntry,
  env: Readonly<Record<string, string | undefined>>,
  { hasOwnPrograms = false, secrets = [] }: Readiness = {},
): Promise<Unusable | undefined> {
  const missing = keysOf(entry).find(({ env: variable, secret }) =>
    secret === undefined ? (env[variable ?? ''] ?? '') === '' : !secrets.includes(secret),
  );
  // The gateway hands a token on in their place.
  const stored = keysOf(entry).flatMap(({ secret }) =>
    secret === undefined || secret === missing?.secret ? [] : [secret],
  );
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
      hostEnv: { ...env, ...Object.fromEntries(stored.map((name) => [name, 'a token'])) },
    });
    if (missing === undefined) return undefined;
    return { message: `there is no key: ${missingKeyText(missing)}`, hint: missingKeyHint(missing) };
  } catch (error) {
    return {
      message: messageOf(error),
      hint: error instanceof SwitchyardError ? error.hint : 'Correct this agent in config.yaml.',
    };
  }
}
