import type { AgentAdapter, AgentTurn } from '../../../ports/agent.ts';
import { programEnv, terminalEnv } from '../../../ports/agent-env.ts';
import { findProgram } from '../../../ports/agent-program.ts';
import { describeSignIn } from '../../../ports/agent-sign-in.ts';
import { claudeProgram } from './binary.ts';
import { claudeEnv, claudeSettings } from './environment.ts';
import { answerFirstQuestions, prepareHome } from './home.ts';
import { claudeParser } from './parser.ts';

/** Anthropic's Claude Code, one `claude -p` a turn. What is odd about it is in the README. */
export const claudeAgent: AgentAdapter = {
  kind: 'claude',
  sessionFiles: ['.claude/projects/**'],
  describe: describeSignIn,
  hosts: () => ['api.anthropic.com', 'console.anthropic.com', 'platform.claude.com', 'claude.ai'],
  async command(turn) {
    const { program, env } = await prepare(turn);
    const flags = ['-p', '--output-format', 'stream-json', '--verbose'];
    return {
      argv: [...program, ...flags, ...flagsFor(turn)],
      env: { ...programEnv(turn), ...env, ...turn.entry.env },
      input: asPrompt(turn.prompt),
    };
  },
  parser: (turn) => claudeParser(turn),
  async interactive(turn) {
    const { program, env } = await prepare(turn);
    await answerFirstQuestions(turn, env['ANTHROPIC_API_KEY']);
    return { argv: [...program, ...flagsFor(turn)], env: { ...terminalEnv(turn), ...env, ...turn.entry.env } };
  },
};

async function prepare(turn: AgentTurn) {
  const env = claudeEnv(turn);
  const program = await findProgram(turn, claudeProgram);
  await prepareHome(turn);
  return { program, env };
}

function flagsFor(turn: AgentTurn): string[] {
  const { session, entry } = turn;
  const flags = ['--dangerously-skip-permissions', '--settings', claudeSettings(turn)];
  if (entry.model !== undefined) flags.push('--model', entry.model);
  if (session.kind !== 'new') flags.push(`--resume=${session.id}`);
  if (session.kind === 'fork') flags.push('--fork-session');
  return [...flags, ...entry.args];
}

/** What begins with a slash would be taken for one of claude's own commands. */
function asPrompt(prompt: string): string {
  return prompt.trimStart().startsWith('/') ? ` ${prompt}` : prompt;
}
