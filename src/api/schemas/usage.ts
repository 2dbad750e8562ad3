import { z } from 'zod';
import { BudgetEach, BudgetPer } from '../../domain/budget.ts';
import { ModelTokens } from '../../domain/model-call.ts';
import { Usage } from '../../domain/run.ts';
import { UsageBy } from '../../domain/usage.ts';

// What calls to models came to, over the wire.

export const UsageQuery = z.object({
  /** Of one run. */
  run: z.string().optional(),
  /** Without it: by step for one run, else by run. */
  by: UsageBy.optional(),
  since: z.iso.datetime().optional(),
  /** The first moment that is not counted any more. */
  until: z.iso.datetime().optional(),
});

const UsageFacts = z.object({
  calls: z.int(),
  /** Of which failed. */
  failed: z.int(),
  /** Of which some tokens were estimated, because the answer was cut off. */
  estimated: z.int(),
  /** Of whose tokens nobody knows. */
  uncounted: z.int(),
  tokens: ModelTokens,
  /** US dollars, as far as prices are known: a part where there are unpriced ones; null where none is known. */
  cost: z.number().nullable(),
  /** Of which nobody knows what they cost. */
  unpriced: z.int(),
  /** What the agents of a run say that they have used; null where they say nothing, or not of the same calls. */
  reported: Usage.nullable(),
  /** What was counted here, less what was reported. Tokens are those that were read and produced. */
  difference: z.object({ tokens: z.number(), cost: z.number().nullable() }).nullable(),
});
export type UsageFacts = z.infer<typeof UsageFacts>;

export const UsageRow = UsageFacts.extend({
  /** An id, a person's name, a day as 2026-11-27; null for what has none: no team, no label, a model that nobody names. */
  key: z.string().nullable(),
  /** The key as people know it: the slug of a run, the path of a repository. */
  name: z.string().nullable(),
  /** The run of a step. */
  run: z.string().nullable(),
});
export type UsageRow = z.infer<typeof UsageRow>;

const BudgetAmount = z.object({
  /** With what persons have added in this window. */
  max: z.number(),
  used: z.number(),
  /** Nothing at the least, though more was used than there is. */
  left: z.number(),
});

/** How a budget stands. */
export const BudgetNow = z.object({
  name: z.string(),
  per: BudgetPer,
  each: BudgetEach,
  /** The person, label, …, the path of a repository, the id of a run or task; null of everything. */
  whose: z.string().nullable(),
  /** US dollars; null where it does not bound them. */
  cost: BudgetAmount.nullable(),
  tokens: BudgetAmount.nullable(),
  /** Calls of which nobody knows what they cost: the bound on money does not see them. */
  unpriced: z.int(),
  /** When it begins again; null where it never does. */
  until: z.string().nullable(),
});
export type BudgetNow = z.infer<typeof BudgetNow>;

export const UsageReport = z.object({
  schema: z.literal(1),
  by: UsageBy,
  run: z.object({ id: z.string(), slug: z.string() }).nullable(),
  since: z.string().nullable(),
  until: z.string().nullable(),
  rows: z.array(UsageRow),
  /** Of all calls, each once: one may be in several rows of teams or labels. */
  total: UsageFacts,
  /** What a person should know of it besides. */
  notes: z.array(z.string()).optional(),
  /** Those in force at the moment of asking, whatever the period: that the run is held to, or all but those of single runs and tasks. */
  budgets: z.array(BudgetNow).optional(),
});
export type UsageReport = z.infer<typeof UsageReport>;
