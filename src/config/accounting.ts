import { z } from 'zod';
import type { SourceDocument } from '../blueprint/document.ts';
import type { Problem } from '../blueprint/problem.ts';
import { type Budget, BudgetEach, BudgetPer, type Teams } from '../domain/budget.ts';
import { Rates } from '../domain/model-price.ts';
import { Count, Dollars } from '../domain/units.ts';
import { ConfigName } from './names.ts';

// The keys of the machine's configuration by which calls to models are counted and bounded.

const ModelName = z
  .string()
  .regex(/^[\w.:@/+-]{1,128}$/, 'write the id of a model as its provider does, such as gpt-5.2')
  .refine((name) => !(name in Object.prototype), 'this name is taken by the language itself');

/** By the ids of models. */
export const WrittenPrices = z
  .record(ModelName, Rates)
  .describe('What models cost, in US dollars per million tokens: adds to the prices that are known, or replaces them');

export const WrittenTeams = z
  .record(ConfigName, z.array(z.string().min(1)).min(1, 'a team has at least one person'))
  .describe('Persons by the name of their team');

const WrittenBudget = z
  .strictObject({
    per: BudgetPer.describe('What has the amount to itself: each person, each team, …, or everything together'),
    each: BudgetEach.describe('The window after which it begins again; days, weeks and months begin at midnight UTC'),
    cost: Dollars.optional(),
    tokens: Count.optional(),
    name: ConfigName.describe('Needed where two budgets are per and each the same').optional(),
  })
  .refine(({ cost, tokens }) => cost !== undefined || tokens !== undefined, 'a budget needs a cost, tokens, or both')
  .transform(({ name, ...budget }): Budget => ({ name: name ?? `${budget.per}-${budget.each}`, ...budget }));

export const WrittenBudgets = z
  .array(WrittenBudget)
  .describe('What calls to models may use over several runs: a run that finds one spent waits for a person');

/** What the schemas cannot say. */
export function accountingProblems(
  { budgets, teams }: { readonly budgets: readonly Budget[]; readonly teams: Teams },
  document: SourceDocument,
): Problem[] {
  const names = budgets.map(({ name }) => name);
  return budgets.flatMap(({ name, per, each }, index) => {
    const problems: Problem[] = [];
    if (names.indexOf(name) !== index) {
      const message =
        name === `${per}-${each}`
          ? `there is a budget per ${per} each ${each} already`
          : `there is a budget ${JSON.stringify(name)} already`;
      problems.push(document.problem(['budgets', index], message, 'Give it a name of its own, or make one of both.'));
    }
    if (per === 'team' && Object.keys(teams).length === 0) {
      const hint = 'Say who is in which: teams: { NAME: [PERSON, …] }';
      problems.push(document.problem(['budgets', index, 'per'], 'there are no teams', hint));
    }
    return problems;
  });
}
