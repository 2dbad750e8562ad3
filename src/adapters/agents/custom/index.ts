import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { SwitchyardError } from '../../../lib/error.ts';
import { whyNotFound } from '../../../lib/exec/not-found.ts';
import { whichOn } from '../../../lib/exec/which.ts';
import type { AgentAdapter, AgentTurn } from '../../../ports/agent.ts';
import { programEnv } from '../../../ports/agent-env.ts';
import { agentEventLines } from '../../../ports/agent-event-lines.ts';
import { textParser } from './parser.ts';

/**
 * Any command as an agent: the prompt comes on its standard input, the workspace is its working directory, and what it writes is
 * either plain text or, with `format: jsonl`, events.
 */
export const customAgent: AgentAdapter = {
  kind: 'custom',
  sessionFiles: [],
  describe: (entry) => `${(entry.command ?? []).join(' ')} (signs in by itself, if it does)`,
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
      env: { ...programEnv(turn), ...sessionOf(turn) },
      input: turn.prompt,
      // Scripts and data that the command names: `[sh, /path/agent.sh]`.
      reads: [program, ...args].filter((word) => isAbsolute(word) && existsSync(word)),
    };
  },
  parser: ({ entry }) => (entry.format === 'jsonl' ? agentEventLines() : textParser()),
};

/** Empty for a new conversation; what an earlier turn named as its session otherwise. */
function sessionOf({ session }: AgentTurn): Record<string, string> {
  return { SWITCHYARD_SESSION: session.kind === 'new' ? '' : session.id };
}

function notFound(why: string, hint: string): SwitchyardError {
  return new SwitchyardError({ code: 'agent/not-found', message: `the custom agent cannot be started: ${why}`, hint });
}
