import type { chooseAgent } from '../config/resolve.ts';
import { keysOf } from '../domain/agent-entry.ts';
import { SwitchyardError } from '../lib/error.ts';
import { whyUnusable } from '../ports/agent-readiness.ts';
import type { Walls } from '../ports/sandbox.ts';
import { liveWorkers } from '../store/workers.ts';
import type { OperationContext } from './operations.ts';

/** The name of an agent that can be started here, with what it signs in with. Refuses with `agent/none`. */
export async function usableAgent(
  context: OperationContext,
  chosen: ReturnType<typeof chooseAgent>,
  walls: Pick<Walls, 'hasOwnPrograms'>,
): Promise<string> {
  if (!chosen.ok) {
    const hint = chosen.none ? `Add one under \`agents:\` in ${context.home.config}.` : chosen.hint;
    throw new SwitchyardError({ code: 'agent/none', message: `No agent can be used: ${chosen.message}.`, hint });
  }
  const { host } = context;
  const { name } = chosen;
  const entry = host.agents.entry(name);
  const adapter = host.agents.adapter(entry?.kind ?? '');
  if (entry === undefined || adapter === undefined) {
    throw new SwitchyardError({
      code: 'agent/none',
      message: `This version cannot drive agents of kind ${entry?.kind ?? ''}, as ${name} is.`,
      hint: 'Configure another in config.yaml; `switchyard doctor` shows what is there.',
    });
  }
  // Another worker may have what is missing in the environment of this process.
  if (await worksElsewhere(context)) return name;
  const stored = keysOf(entry).some(({ secret }) => secret !== undefined) ? await context.secrets.list() : [];
  const unusable = await whyUnusable(adapter, entry, host.env, {
    hasOwnPrograms: walls.hasOwnPrograms,
    secrets: stored.flatMap(({ name: secret, repository }) => (repository === null ? [secret] : [])),
  });
  if (unusable === undefined) return name;
  throw new SwitchyardError({
    code: 'agent/none',
    message: `The agent ${name} cannot work: ${unusable.message}.`,
    hint: unusable.hint,
  });
}

async function worksElsewhere({ engine, host }: OperationContext): Promise<boolean> {
  const workers = await liveWorkers(engine.database);
  return workers.some(({ id }) => id !== host.worker);
}
