import { readFile } from 'node:fs/promises';
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import { messageOf, SwitchyardError } from '../../../lib/error.ts';
import type { AgentAdapter, AgentTurn } from '../../../ports/agent.ts';
import { programEnv } from '../../../ports/agent-env.ts';
import { agentEventLines } from '../../../ports/agent-event-lines.ts';
import type { Play } from './play.ts';
import { parseScript, type Script } from './script.ts';

/** An agent that does what a file says, step by step: for demonstrations and tests. Everything round it is real. */
export const scriptedAgent: AgentAdapter = {
  kind: 'scripted',
  sessionFiles: [],
  describe: ({ script }) => `plays ${script ?? 'a script that is not configured'}; no model, no key`,
  async command(turn) {
    const { script: file } = turn.entry;
    if (file === undefined) throw badScript('its entry names no script', 'Add `script: FILE` to it in config.yaml.');
    const play = playOf(await readScript(file), turn, file);
    return {
      argv: [process.execPath, program(), ...turn.entry.args],
      env: { ...programEnv(turn), ...compileCache() },
      input: JSON.stringify(play),
      reads: [PROJECT],
    };
  },
  parser: () => agentEventLines(),
};

function playOf(script: Script, turn: AgentTurn, file: string): Play {
  const session = sessionOf(turn);
  const steps = script[turn.node];
  const actions = steps?.[turn.step - 1];
  if (actions !== undefined) return { session, actions };
  const has = steps === undefined ? 'nothing' : `only ${steps.length}`;
  return {
    session,
    actions: [],
    mistake: `step ${turn.step} of ${turn.node} was asked for, but ${file} has ${has} for this node`,
  };
}

/** The same for every process that plays a part of the run, so that resuming works without any memory. */
function sessionOf({ session, run, node, step }: AgentTurn): string {
  if (session.kind === 'new') return `scripted-${run}`;
  return session.kind === 'resume' ? session.id : `${session.id}-${node}-${step}`;
}

async function readScript(file: string): Promise<Script> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw badScript(`its script cannot be read: ${messageOf(error)}`, 'Correct `script` in config.yaml.', error);
  });
  const parsed = parseScript(text, file);
  if (parsed.ok) return parsed.script;
  throw badScript(`its script has mistakes:\n${parsed.problems.join('\n')}`, 'Mend the script, then try again.');
}

/** Where `play` and what it imports lie: this project's folder `src` or `dist`. */
const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

/** `play.ts` in a checkout, `play.js` in the package. */
function program(): string {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  return fileURLToPath(new URL(`play${extension}`, import.meta.url));
}

/** Taking the types out of `play.ts` takes longer than all the rest of a start; where Node's cache is on, it is done once. */
function compileCache(): Record<string, string> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

function badScript(why: string, hint: string, cause?: unknown): SwitchyardError {
  return new SwitchyardError({
    code: 'agent/bad-script',
    message: `the scripted agent cannot play: ${why}`,
    hint,
    cause,
  });
}
