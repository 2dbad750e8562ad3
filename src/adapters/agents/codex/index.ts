import type { AgentEntry } from '../../../domain/agent-entry.ts';
import { SwitchyardError } from '../../../lib/error.ts';
import type { AgentAdapter, AgentTurn } from '../../../ports/agent.ts';
import { programEnv } from '../../../ports/agent-env.ts';
import { findCodex } from './binary.ts';
import { prepareHome } from './home.ts';
import { codexParser } from './parser.ts';

/** OpenAI's Codex CLI, one `codex exec` a turn. What is odd about it is in the README. */
export const codexAgent: AgentAdapter = {
  kind: 'codex',
  sessionFiles: ['.codex/sessions/**'],
  describe,
  async command(turn) {
    const key = keyOf(turn);
    const [program, ...args] = await findCodex(turn);
    const codexHome = await prepareHome(turn);
    return {
      argv: [
        program,
        ...args,
        'exec',
        ...subcommand(turn),
        ...UNATTENDED,
        ...turn.entry.args,
        '--',
        ...positional(turn),
      ],
      env: { ...programEnv(turn), CODEX_HOME: codexHome, ...key, ...turn.entry.env },
      input: turn.prompt,
    };
  },
  parser: (turn) => codexParser(turn),
};

const UNATTENDED = ['--json', '--dangerously-bypass-approvals-and-sandbox', '--skip-git-repo-check'];

function subcommand({ session }: AgentTurn): string[] {
  return session.kind === 'new' ? [] : [session.kind];
}

/** The prompt is read from standard input (`-`): no length and no first letter of it is a problem there. */
function positional({ session }: AgentTurn): string[] {
  return session.kind === 'new' ? ['-'] : [session.id, '-'];
}

function describe({ endpoint, login }: AgentEntry): string {
  if (endpoint?.key !== undefined) return `the key in ${endpoint.key.env}, for ${endpoint.baseUrl}`;
  if (login !== undefined) return `the subscription login ${login}, which is exposed to the sandbox`;
  return endpoint === undefined ? 'neither a key nor a login is configured' : `no key, for ${endpoint.baseUrl}`;
}

/** The one variable that holds the key, or nothing when a login or an open endpoint is configured. */
function keyOf({ entry, hostEnv }: AgentTurn): Record<string, string> {
  const { endpoint, login } = entry;
  if (endpoint !== undefined && endpoint.api !== 'responses') {
    throw new SwitchyardError({
      code: 'agent/wrong-endpoint',
      message: `codex cannot speak the protocol "${endpoint.api}"`,
      hint: 'Configure an endpoint with `api: responses` for it.',
    });
  }
  if (endpoint === undefined && login === undefined) {
    throw noKey(
      'codex has neither a key nor a login',
      'Configure `endpoint` with a `key: { env: NAME }`, or `login: ~/.codex/auth.json`.',
    );
  }
  const name = endpoint?.key?.env;
  if (name === undefined) return {};
  const key = hostEnv[name];
  if (key === undefined || key === '') {
    throw noKey(
      `codex has no key: the variable ${name} is not set`,
      `Set ${name} where the daemon is started, then start it again.`,
    );
  }
  return { [name]: key };
}

function noKey(message: string, hint: string): SwitchyardError {
  return new SwitchyardError({ code: 'agent/no-key', message, hint });
}
