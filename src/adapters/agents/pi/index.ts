import { join, relative } from 'node:path';
import type { AgentAdapter, AgentTurn } from '../../../ports/agent.ts';
import { programEnv, terminalEnv } from '../../../ports/agent-env.ts';
import { type AgentProgram, findProgram } from '../../../ports/agent-program.ts';
import { describeSignIn, endpointKey } from '../../../ports/agent-sign-in.ts';
import { ENDPOINT_APIS, PROVIDER } from './config.ts';
import { agentFolder, prepareHome } from './home.ts';
import { piParser } from './parser.ts';
import { findSession, moveSession, sessionsFolder } from './session-file.ts';

/** The pi coding agent, one `pi -p` a turn. What is odd about it is in the README. */
export const piAgent: AgentAdapter = {
  kind: 'pi',
  sessionFiles: ['.pi/agent/sessions/**'],
  describe: describeSignIn,
  async command(turn) {
    const { program, env } = await prepare(turn);
    return {
      argv: [...program, '-p', '--mode', 'json', ...(await flagsFor(turn))],
      env: { ...programEnv(turn), ...env, ...turn.entry.env },
      input: turn.prompt,
    };
  },
  parser: (turn) => piParser(turn),
  async interactive(turn) {
    const { program, env } = await prepare(turn);
    return { argv: [...program, ...(await flagsFor(turn))], env: { ...terminalEnv(turn), ...env, ...turn.entry.env } };
  },
};

/** From npm, `pi` is a script for a Node that is newer than many on a PATH: it is given the harness's own. */
const PROGRAM: AgentProgram = {
  name: 'pi',
  install: 'npm install --global @earendil-works/pi-coding-agent',
  behind: (file) => Promise.resolve(file.endsWith('.js') ? [process.execPath, file] : undefined),
};

async function prepare(turn: AgentTurn) {
  const key = endpointKey(turn, { apis: ENDPOINT_APIS, login: '~/.pi/agent/auth.json' });
  const program = await findProgram(turn, PROGRAM);
  await prepareHome(turn);
  const env = {
    PI_CODING_AGENT_DIR: agentFolder(turn.inside),
    PI_OFFLINE: '1',
    PI_TELEMETRY: '0',
    PI_SKIP_VERSION_CHECK: '1',
    ...(key && { [key.name]: key.value }),
  };
  return { program, env };
}

async function flagsFor(turn: AgentTurn): Promise<string[]> {
  const { entry } = turn;
  // What the repository has for pi is not trusted: it could lead requests, and the key with them, elsewhere.
  const flags = ['--no-approve', '--session-dir', sessionsFolder(turn.inside.home)];
  if (entry.endpoint !== undefined) flags.push('--provider', PROVIDER);
  if (entry.model !== undefined) flags.push('--model', entry.model);
  return [...flags, ...(await sessionFlags(turn)), ...entry.args];
}

/** A session is named by its file, since pi takes any part of an id for the id. */
async function sessionFlags({ session, home, inside }: AgentTurn): Promise<string[]> {
  if (session.kind === 'new') return [];
  const file = findSession(home, session.id);
  const name = file === undefined ? session.id : join(inside.home, relative(home, file));
  if (session.kind === 'fork') return ['--fork', name];
  const isHere = file !== undefined && (await moveSession(home, { file, folder: inside.folder }));
  return ['--session', isHere ? name : session.id];
}
