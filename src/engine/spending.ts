import type { Budget, HeldBudget, Spender, Teams, Used } from '../domain/budget.ts';

/** What bounds the use of models across runs, as the machine's configuration says it now. */
export interface FleetBudgets {
  readonly budgets: readonly Budget[];
  readonly teams: Teams;
}

/** What calls that are under way have used until now, in no sum of the database yet: of all attempts of this process. */
export class Spending {
  readonly #underWay = new Map<string, { readonly spender: Spender; readonly used: Used }>();

  /** `call` names it; told again, it replaces what was told before. */
  note(call: string, spender: Spender, used: Used): void {
    this.#underWay.set(call, { spender, used });
  }

  /** It is over, and in the database, or nowhere. */
  forget(call: string): void {
    this.#underWay.delete(call);
  }

  /** All that counts against a budget. */
  against({ counts }: HeldBudget): Used {
    let [tokens, cost] = [0, 0];
    for (const { spender, used } of this.#underWay.values()) {
      if (!namesOf(spender, counts.by).some((name) => counts.names.includes(name))) continue;
      tokens += used.tokens;
      cost += used.cost;
    }
    return { tokens, cost };
  }
}

function namesOf(spender: Spender, by: HeldBudget['counts']['by']): readonly string[] {
  switch (by) {
    case 'everything':
      return [''];
    case 'label':
      return spender.labels;
    case 'agent':
      return spender.agent === null ? [] : [spender.agent];
    case 'run':
    case 'task':
    case 'person':
    case 'repository':
      return [spender[by]];
  }
}
