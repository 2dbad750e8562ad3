import { resolveHome } from '../../lib/home.ts';
import type { CommandContext } from '../context.ts';

/** What to write where, and what to type, to do the same with an agent that thinks. */
export function ownAgentLines(context: CommandContext): string[] {
  return [
    `Now with your own agent. Write into ${resolveHome(context.env).config}:`,
    '',
    '    agents:',
    '      codex: { kind: codex, login: ~/.codex/auth.json }   # after `codex login`; or an endpoint with a key',
    '',
    'and in a repository of yours:',
    '',
    '    switchyard init',
    '    switchyard run "What you want done" --blueprint minion',
  ];
}
