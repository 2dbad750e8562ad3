import { type BudgetState, budgetReason, heldBudgets, isSpent, type Spender } from '../domain/budget.ts';
import { budgetStatesBeside } from '../store/budgets.ts';
import type { Engine } from './engine.ts';
import type { SpendingSince } from './spending.ts';

/** How old sums may get while an answer comes: for as long, what other processes and the machine's owner do is not heard of. */
const READ_AGAIN_MS = 10_000;

/**
 * The budgets that hold for one spender: as the database has them, with all that this process has used since, so that looking at them is
 * cheap. Disposing forgets them.
 */
export class SpendingWatch implements Disposable {
  readonly #engine: Pick<Engine, 'database' | 'clock' | 'budgets' | 'spending'>;
  readonly #spender: Spender;
  #known: { readonly states: readonly BudgetState[]; readonly since: SpendingSince } | undefined;
  #askedAt = -Infinity;
  #isReading = false;
  #isOver = false;

  constructor(engine: Pick<Engine, 'database' | 'clock' | 'budgets' | 'spending'>, spender: Spender) {
    this.#engine = engine;
    this.#spender = spender;
  }

  /** As they stood when they were read. */
  get states(): readonly BudgetState[] {
    return this.#known?.states ?? [];
  }

  /** Asks how they stand, by what the machine's configuration says now. Rejects as the database does, and keeps what was known. */
  async read(): Promise<void> {
    for (let isClear = false; !isClear; ) isClear = await this.#readOnce();
  }

  /** Has them read again where that is long ago. Comes back at once. */
  keepFresh(): void {
    if (this.#isOver || this.#isReading || this.#engine.clock.now() - this.#askedAt < READ_AGAIN_MS) return;
    this.#isReading = true;
    void this.read()
      .catch(() => undefined)
      .finally(() => {
        this.#isReading = false;
      });
  }

  /** The first of which nothing is left, as a sentence. */
  spent(): string | undefined {
    if (this.#known === undefined) return undefined;
    const { states, since } = this.#known;
    for (const [index, state] of states.entries()) {
      const used = since.against(index);
      if (isSpent(state, used)) return budgetReason(state, used).message;
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#replace(undefined);
  }

  async #readOnce(): Promise<boolean> {
    const { database, clock, spending } = this.#engine;
    const { budgets, teams } = this.#engine.budgets;
    const now = clock.now();
    this.#askedAt = now;
    const held = heldBudgets(budgets, { spender: this.#spender, teams, now });
    using since = new DisposableStack();
    const beyond = since.use(spending.since(held));
    const { states, stored } = await budgetStatesBeside(database, held, beyond.calls);
    if (!beyond.found(stored)) return false;
    since.move();
    this.#replace({ states, since: beyond });
    return true;
  }

  #replace(known: { readonly states: readonly BudgetState[]; readonly since: SpendingSince } | undefined): void {
    this.#known?.since[Symbol.dispose]();
    this.#known = this.#isOver ? undefined : known;
    if (this.#isOver) known?.since[Symbol.dispose]();
  }
}
