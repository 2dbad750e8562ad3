import type { AgentAdapter, AgentTurn } from '../../../ports/agent.ts';
import { programEnv, terminalEnv } from '../../../ports/agent-env.ts';
import { findProgram } from '../../../ports/agent-program.ts';
import { describeSignIn, endpointKey } from '../../../ports/agent-sign-in.ts';
import { codexProgram } from './binary.ts';
import { trusting } from './config.ts';
import { prepareHome } from './home.ts';
import { codexParser } from './parser.ts';

/** OpenAI's Codex CLI, one `codex exec` a turn. What is odd about it is in the README. */
export const codexAgent: AgentAdapter = {
  kind: 'codex',
  sessionFiles: ['.codex/sessions/**'],
  describe: describeSignIn,
  hosts: () => ['api.openai.com', 'auth.openai.com', 'chatgpt.com'],
  async command(turn) {
    const { program, env } = await prepare(turn);
    const flags = ['--json', ...UNASKED, '--skip-git-repo-check', ...turn.entry.args];
    return {
      argv: [...program, 'exec', ...subcommand(turn), ...flags, '--', ...positional(turn)],
      env: { ...programEnv(turn), ...env, ...turn.entry.env },
      input: turn.prompt,
    };
  },
  parser: (turn) => codexParser(turn),
  async interactive(turn) {
    const { program, env } = await prepare(turn);
    const flags = [...UNASKED, '-c', trusting(turn.inside.folder), ...turn.entry.args];
    return {
      argv: [
        ...program,
        ...subcommand(turn),
        ...flags,
        ...(turn.session.kind === 'new' ? [] : ['--', turn.session.id]),
      ],
      env: { ...terminalEnv(turn), ...env, ...turn.entry.env },
    };
  },
};

const UNASKED = ['--dangerously-bypass-approvals-and-sandbox'];

/** What a turn and a person's terminal have in common. */
async function prepare(turn: AgentTurn) {
  const key = endpointKey(turn, { apis: ['responses'], login: '~/.codex/auth.json' });
  const program = await findProgram(turn, codexProgram);
  const codexHome = await prepareHome(turn);
  return { program, env: { CODEX_HOME: codexHome, ...(key && { [key.name]: key.value }) } };
}

function subcommand({ session }: AgentTurn): string[] {
  return session.kind === 'new' ? [] : [session.kind];
}

/** The prompt is read from standard input (`-`): no length and no first letter of it is a problem there. */
function positional({ session }: AgentTurn): string[] {
  return session.kind === 'new' ? ['-'] : [session.id, '-'];
}
