import type { Budget, HeldBudget, Spender, SummedBy, Teams, Used } from '../domain/budget.ts';

/** What bounds the use of models across runs, as the machine's configuration says it now. */
export interface FleetBudgets {
  readonly budgets: readonly Budget[];
  readonly teams: Teams;
}

/** What has been used beyond sums of the database that were read at some moment. To be disposed when the sums are not looked at any more. */
export interface SpendingSince extends Disposable {
  /** Calls that may or may not be in those sums. */
  readonly calls: readonly string[];
  /** Says which of them are. False where a call has begun and ended meanwhile, so that nobody can tell: the sums are to be read again. */
  found(stored: readonly string[]): boolean;
  /** What counts against the budget that stands there in the list, and is not in its sum. */
  against(index: number): Used;
}

/**
 * What calls to models use, of all attempts of this process: while they are under way, and for sums that were read before they ended. A
 * note and a question cost the same however many calls there are; nothing is kept of what nobody asks for any more.
 */
export class Spending {
  readonly #sums = new Map<string, Sum>();
  readonly #calls = new Map<string, NotedCall>();
  #begun = 0;
  /** The latest to begin of those that have ended. */
  #latestEnded = 0;

  /** `call` names it; told again, it replaces what was told before. */
  note(call: string, spender: Spender, used: Used): void {
    const noted = this.#calls.get(call) ?? this.#begin(call, spender);
    for (const { all } of noted.sums) {
      all.tokens += used.tokens - noted.used.tokens;
      all.cost += used.cost - noted.used.cost;
    }
    noted.used = used;
  }

  /** The last word on it, before it is stored. */
  end(call: string, spender: Spender, used: Used): void {
    this.note(call, spender, used);
    this.#latestEnded = Math.max(this.#latestEnded, this.#calls.get(call)?.number ?? 0);
  }

  /** It is over, and in the database as it was noted last, or nowhere. */
  settle(call: string): void {
    const noted = this.#calls.get(call);
    if (noted === undefined) return;
    this.#calls.delete(call);
    for (const { settled } of noted.sums) add(settled, noted.used);
    this.#release(noted.sums);
  }

  /** To be asked before the sums of these budgets are: whatever is in them by then, and is used from then on, counts once. */
  since(held: readonly HeldBudget[]): SpendingSince {
    const unsettled = [...this.#calls.values()];
    const begun = this.#begun;
    const lines = held.map(({ counts: { by, names } }) => {
      const sums = names.map((name) => this.#hold(keyOf(by, name)));
      const stored = { tokens: 0, cost: 0 };
      for (const { settled } of sums) add(stored, settled);
      return { sums, stored };
    });
    return {
      calls: unsettled.map(({ id }) => id),
      found: (ids) => {
        const known = new Set(ids);
        for (const call of unsettled.filter(({ id }) => known.has(id))) {
          for (const { sums, stored } of lines) if (sums.some((sum) => call.sums.includes(sum))) add(stored, call.used);
        }
        return this.#latestEnded <= begun;
      },
      against(index) {
        const line = lines[index];
        const beyond = { tokens: -(line?.stored.tokens ?? 0), cost: -(line?.stored.cost ?? 0) };
        for (const { all } of line?.sums ?? []) add(beyond, all);
        return beyond;
      },
      [Symbol.dispose]: () => {
        for (const { sums } of lines.splice(0)) this.#release(sums);
      },
    };
  }

  #begin(id: string, spender: Spender): NotedCall {
    const sums = keysOf(spender).map((key) => this.#hold(key));
    this.#begun += 1;
    const noted: NotedCall = { id, number: this.#begun, sums, used: { tokens: 0, cost: 0 } };
    this.#calls.set(id, noted);
    return noted;
  }

  #hold(key: string): Sum {
    const sum = this.#sums.get(key) ?? {
      key,
      all: { tokens: 0, cost: 0 },
      settled: { tokens: 0, cost: 0 },
      holders: 0,
    };
    this.#sums.set(key, sum);
    sum.holders += 1;
    return sum;
  }

  #release(sums: readonly Sum[]): void {
    for (const sum of sums) {
      sum.holders -= 1;
      if (sum.holders === 0) this.#sums.delete(sum.key);
    }
  }
}

interface Amount {
  tokens: number;
  cost: number;
}

/** Of all calls of one person, run, …, from when somebody first held it. */
interface Sum {
  readonly key: string;
  readonly all: Amount;
  /** Of those that are over: in every sum that is read of the database from now on, or in none ever. */
  readonly settled: Amount;
  holders: number;
}

interface NotedCall {
  readonly id: string;
  readonly number: number;
  readonly sums: readonly Sum[];
  used: Used;
}

function add(amount: Amount, { tokens, cost }: Used): void {
  amount.tokens += tokens;
  amount.cost += cost;
}

function keysOf({ run, task, person, repository, agent, labels }: Spender): string[] {
  return [
    keyOf('everything', ''),
    keyOf('run', run),
    keyOf('task', task),
    keyOf('person', person),
    keyOf('repository', repository),
    ...(agent === null ? [] : [keyOf('agent', agent)]),
    ...[...new Set(labels)].map((label) => keyOf('label', label)),
  ];
}

const keyOf = (by: SummedBy, name: string): string => `${by} ${name}`;
