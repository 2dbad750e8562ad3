import { basename } from 'node:path';
import type { BudgetNow } from '../../api/schemas/usage.ts';
import { printableLine } from '../../lib/printable.ts';
import { shortCount, shortMoney } from './amount.ts';
import { paint, type Style } from './style.ts';
import { table } from './table.ts';
import { wrap } from './width.ts';

/** How budgets stand, after an empty line; nothing without any. */
export function budgetLines(budgets: readonly BudgetNow[], style: Style): string[] {
  if (budgets.length === 0) return [];
  const rows = budgets.map((budget) => [
    printableLine(budget.name),
    holder(budget),
    amounts(budget, ({ left }) => left),
    used(budget),
    budget.until === null ? 'never' : `${budget.until.slice(0, 16).replace('T', ' ')} UTC`,
  ]);
  return [
    '',
    ...table([['BUDGET', 'OF', 'LEFT', 'USED', 'BEGINS AGAIN'], ...rows], style, {
      shrink: [
        [1, 8],
        [0, 8],
      ],
      paint: (cell, row) => (row === 0 ? paint(style, 'dim', cell) : cell),
    }),
    ...unseen(budgets, style),
  ];
}

function holder({ per, whose }: BudgetNow): string {
  if (whose === null) return 'everything';
  if (per === 'run' || per === 'task') return `this ${per}`;
  return printableLine(per === 'repository' ? basename(whose) : whose);
}

type Amount = NonNullable<BudgetNow['cost']>;

function amounts({ cost, tokens }: BudgetNow, of: (amount: Amount) => number): string {
  const parts = [cost === null ? '' : shortMoney(of(cost)), tokens === null ? '' : `${shortCount(of(tokens))} tokens`];
  return parts.filter((part) => part !== '').join(' and ');
}

function used({ cost, tokens }: BudgetNow): string {
  const parts = [
    cost === null ? '' : `${shortMoney(cost.used).replace(' USD', '')} of ${shortMoney(cost.max)}`,
    tokens === null ? '' : `${shortCount(tokens.used)} of ${shortCount(tokens.max)} tokens`,
  ];
  return parts.filter((part) => part !== '').join(' and ');
}

function unseen(budgets: readonly BudgetNow[], style: Style): string[] {
  const some = budgets.filter(({ cost, unpriced }) => cost !== null && unpriced > 0);
  if (some.length === 0) return [];
  const counts = some.map((budget) => {
    const whose = budget.whose === null ? '' : ` (${holder(budget)})`;
    return `${budget.unpriced} in ${printableLine(budget.name)}${whose}`;
  });
  const text = `Calls of unknown price count in no bound on money: ${counts.join(', ')}.`;
  return wrap(text, style.width).map((line) => paint(style, 'dim', line));
}
