import type { chooseAgent } from '../config/resolve.ts';
import { SwitchyardError } from '../lib/error.ts';
import type { OperationContext } from './operations.ts';

/** The name of an agent that this version can drive. Refuses with `agent/none`. */
export function usableAgent({ host }: OperationContext, chosen: ReturnType<typeof chooseAgent>): string {
  if (chosen.ok) {
    const kind = host.agents.entry(chosen.name)?.kind ?? '';
    if (host.agents.adapter(kind) !== undefined) return chosen.name;
    throw new SwitchyardError({
      code: 'agent/none',
      message: `This version cannot drive agents of kind ${kind}, as ${chosen.name} is.`,
      hint: 'Configure another in config.yaml; `switchyard doctor` shows what is there.',
    });
  }
  throw new SwitchyardError({
    code: 'agent/none',
    message: `No agent can be used: ${chosen.message}.`,
    hint: chosen.hint,
  });
}
