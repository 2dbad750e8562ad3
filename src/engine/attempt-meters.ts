import { originByHand, originOfAttempt } from '../store/model-calls.ts';
import type { Claim } from './claim.ts';
import { nodeOf } from './context.ts';
import type { Engine } from './engine.ts';
import type { Journal } from './journal.ts';
import { stepLimits } from './limits.ts';
import { AttemptMeter } from './model-meter.ts';

/** What counts the use of models, one for each agent. Disposing resolves when all that was counted is stored. */
export interface Meters extends AsyncDisposable {
  of(agent: string): Promise<AttemptMeter>;
}

/** Of an attempt at a step: its calls are the step's, and bounded by its limits. */
export function attemptMeters({
  engine,
  claimed,
  journal,
}: {
  engine: Engine;
  claimed: Claim;
  journal: Journal;
}): Meters {
  const { step, attempt, run } = claimed;
  const { node, n } = step;
  const { tokens, cost } = stepLimits(run, step.aside ? undefined : nodeOf(claimed).node);
  return meters(async (agent) => {
    const origin = await originOfAttempt(engine.database, { step: step.id, attempt, agent });
    if (origin === undefined) throw new Error(`there is no step ${step.id}`);
    return new AttemptMeter({
      engine,
      origin,
      bounds: { tokens, cost },
      say: (text) => void journal.add({ kind: 'message', level: 'warning', text, node, n }).catch(() => undefined),
      tellUsage: (usage, model) =>
        journal.add({ kind: 'agent.usage', node, n, usage, ...(model === null ? {} : { model }) }),
    });
  });
}

/** Of a person who works in a run by hand: counted as the run's, and bounded by budgets alone. */
export function handMeters(engine: Engine, run: string): Meters {
  return meters(async (agent) => {
    const origin = await originByHand(engine.database, { run, agent });
    if (origin === undefined) throw new Error(`there is no run ${run}`);
    return new AttemptMeter({ engine, origin, bounds: {}, say: () => undefined, tellUsage: async () => undefined });
  });
}

function meters(make: (agent: string) => Promise<AttemptMeter>): Meters {
  const made = new Map<string, Promise<AttemptMeter>>();
  return {
    of(agent) {
      const known = made.get(agent) ?? make(agent);
      made.set(agent, known);
      known.catch(() => made.delete(agent));
      return known;
    },
    async [Symbol.asyncDispose]() {
      const all = await Promise.all([...made.values()].map((one) => one.catch(() => undefined)));
      await Promise.all(all.map(async (one) => one?.[Symbol.asyncDispose]()));
    },
  };
}
