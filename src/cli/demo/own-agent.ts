import { whichOn } from '../../lib/exec/which.ts';
import { resolveHome } from '../../lib/home.ts';
import type { CommandContext } from '../context.ts';

/** Agents that need no more than a name, the likeliest first. */
const KINDS = ['codex'] as const;

/** What to write where, and what to type, to do the same with an agent that thinks; named after one that is installed, if any is. */
export async function ownAgentLines(context: CommandContext): Promise<string[]> {
  const which = whichOn(context.env['PATH']);
  const found = (
    await Promise.all(KINDS.map(async (kind) => ((await which(kind)) === undefined ? undefined : kind)))
  ).find((kind) => kind !== undefined);
  const kind = found ?? KINDS[0];
  return [
    `Now with your own agent. Write into ${resolveHome(context.env).config}:`,
    '',
    '    agents:',
    `      ${kind}: { kind: ${kind}, command: [${kind}] }`,
    '',
    'and in a repository of yours:',
    '',
    '    switchyard init',
    '    switchyard run "What you want done" --blueprint minion',
  ];
}
