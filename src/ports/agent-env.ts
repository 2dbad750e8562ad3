import type { AgentTurn } from './agent.ts';

/**
 * The environment that every agent's program gets: where programs are, a HOME of its own, a plain terminal, and what the run is. Nothing
 * else of the harness's own environment goes in; an adapter adds the key that its entry names. The entry's `env` wins.
 */
export function programEnv(turn: AgentTurn): Record<string, string> {
  const { hostEnv } = turn;
  return {
    PATH: hostEnv['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: turn.inside.home,
    LANG: hostEnv['LANG'] ?? 'C.UTF-8',
    TERM: 'dumb',
    SWITCHYARD_RUN: turn.run,
    SWITCHYARD_NODE: turn.node,
    SWITCHYARD_STEP: String(turn.step),
    ...turn.entry.env,
  };
}

/** The same for a program that a person sees in a terminal. */
export function terminalEnv(turn: AgentTurn): Record<string, string> {
  const { TERM, COLORTERM } = turn.hostEnv;
  const colours = COLORTERM === undefined ? {} : { COLORTERM };
  return { ...programEnv(turn), TERM: TERM ?? 'xterm-256color', ...colours, ...turn.entry.env };
}
