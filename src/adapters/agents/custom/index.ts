import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { nameOfKey } from '../../../domain/agent-entry.ts';
import { SwitchyardError } from '../../../lib/error.ts';
import { whyNotFound } from '../../../lib/exec/not-found.ts';
import { whichOn } from '../../../lib/exec/which.ts';
import type { AgentAdapter, AgentTurn } from '../../../ports/agent.ts';
import { programEnv } from '../../../ports/agent-env.ts';
import { agentEventLines } from '../../../ports/agent-event-lines.ts';
import { describeSignIn } from '../../../ports/agent-sign-in.ts';
import { textParser } from './parser.ts';

/**
 * Any command as an agent: the prompt comes on its standard input, the workspace is its working directory, and what it writes is
 * either plain text or, with `format: jsonl`, events.
 */
export const customAgent: AgentAdapter = {
  kind: 'custom',
  sessionFiles: [],
  describe: (entry) =>
    entry.endpoint === undefined
      ? `${(entry.command ?? []).join(' ')} (signs in by itself, if it does)`
      : describeSignIn(entry),
  async command(turn) {
    const [name, ...args] = turn.entry.command ?? [];
    if (name === undefined)
      throw notFound('no command is configured for it', 'Give it a `command: [program, argument]`.');
    const path = turn.hostEnv['PATH'];
    const program = await whichOn(path)(name);
    if (program === undefined) {
      const { message, hint = 'Correct `command` in config.yaml, or install it.' } = await whyNotFound(name);
      throw notFound(message, hint);
    }
    return {
      argv: [program, ...args, ...turn.entry.args],
      env: { ...modelEnv(turn), ...programEnv(turn), ...sessionOf(turn) },
      input: turn.prompt,
      // Scripts and data that the command names: `[sh, /path/agent.sh]`.
      reads: [program, ...args].filter((word) => isAbsolute(word) && existsSync(word)),
    };
  },
  parser: ({ entry }) => (entry.format === 'jsonl' ? agentEventLines() : textParser()),
};

/** Names by which most programs that speak a protocol know where its models are, and their key. */
const NAMES = {
  responses: { base: 'OPENAI_BASE_URL', key: 'OPENAI_API_KEY' },
  chat: { base: 'OPENAI_BASE_URL', key: 'OPENAI_API_KEY' },
  anthropic: { base: 'ANTHROPIC_BASE_URL', key: 'ANTHROPIC_API_KEY' },
  gemini: { base: 'GOOGLE_GEMINI_BASE_URL', key: 'GEMINI_API_KEY' },
} as const;

/** Where its model is, and the key under the protocol's usual name; nothing for an agent without an endpoint. */
function modelEnv({ entry: { endpoint, model }, hostEnv }: AgentTurn): Record<string, string> {
  if (endpoint === undefined) return {};
  const { base, key } = NAMES[endpoint.api];
  const value = endpoint.key === undefined ? undefined : hostEnv[nameOfKey(endpoint.key)];
  return {
    [base]: endpoint.baseUrl,
    ...(value === undefined ? {} : { [key]: value }),
    ...(model === undefined ? {} : { SWITCHYARD_MODEL: model }),
  };
}

/** Empty for a new conversation; what an earlier turn named as its session otherwise. */
function sessionOf({ session }: AgentTurn): Record<string, string> {
  return { SWITCHYARD_SESSION: session.kind === 'new' ? '' : session.id };
}

function notFound(why: string, hint: string): SwitchyardError {
  return new SwitchyardError({ code: 'agent/not-found', message: `the custom agent cannot be started: ${why}`, hint });
}
