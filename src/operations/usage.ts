import type { ParsedRequestOf } from '../api/routes.ts';
import type { UsageFacts, UsageReport } from '../api/schemas/usage.ts';
import type { Usage } from '../domain/run.ts';
import type { FleetBudgets } from '../engine/spending.ts';
import { SwitchyardError } from '../lib/error.ts';
import { reportedUsage, type UsageFilter, type UsageSum, usageGroups, usageTotal } from '../store/model-usage.ts';
import { resolveRun } from '../store/runs.ts';
import { budgetsNow } from './budgets-now.ts';
import type { OperationContext } from './operations.ts';

interface Context extends Pick<OperationContext, 'machine'> {
  readonly engine: Pick<OperationContext['engine'], 'database' | 'budgets' | 'clock'>;
}

/**
 * What calls to models came to in a period, as the gateway has counted them; of runs also what the agents themselves say. Teams are
 * those of the machine's configuration as it is now, and while that is broken, which is said, as it was last in force. Rejects with `run/not-found`, or `request/invalid` for a period that ends before
 * it begins.
 */
export async function usage(context: Context, request: ParsedRequestOf<'usage'>): Promise<UsageReport> {
  const { database } = context.engine;
  const run = request.run === undefined ? undefined : await resolveRun(database, request.run);
  const filter: UsageFilter = { run: run?.id, since: moment(request.since), until: moment(request.until) };
  refuseEmptyPeriod(filter);
  const by = request.by ?? (run === undefined ? 'run' : 'step');
  const { teams, budgets, notes } = await inForce(context);
  const groups = await usageGroups(database, by, { filter, teams });
  const runs = [run?.id, ...(by === 'run' ? groups.map(({ key }) => key) : [])].filter((id) => typeof id === 'string');
  const [total, reported] = await Promise.all([
    usageTotal(database, filter),
    reportedUsage(database, [...new Set(runs)], filter),
  ]);
  const agents = run === undefined ? [] : await usageGroups(database, 'agent', { filter: { run: run.id }, teams });
  const standing = await budgetsNow(database, {
    budgets,
    teams,
    run,
    agents: agents.flatMap(({ key }) => key ?? []),
    now: context.engine.clock.now(),
  });
  return {
    schema: 1,
    by,
    run: run === undefined ? null : { id: run.id, slug: run.slug },
    since: request.since ?? null,
    until: request.until ?? null,
    rows: groups.map(({ key, name, run: ofRun, ...sum }) => ({
      key,
      name: name ?? key,
      run: ofRun,
      ...facts(sum, by === 'run' ? reported.get(key ?? '') : undefined),
    })),
    total: facts(total, reported.get(run?.id ?? '')),
    notes,
    budgets: standing,
  };
}

/** To look needs no configuration that is right, so what was read last will do. */
async function inForce({ engine, machine }: Context): Promise<FleetBudgets & { notes: string[] }> {
  try {
    const { teams, budgets } = await machine();
    return { teams, budgets, notes: [] };
  } catch (error) {
    if (!(error instanceof SwitchyardError) || error.code !== 'config/invalid') throw error;
    const { teams, budgets } = engine.budgets;
    return {
      teams,
      budgets,
      notes: [`The machine's config.yaml is broken; what was read last is in force. ${error.hint}`],
    };
  }
}

function moment(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

function refuseEmptyPeriod({ since, until }: UsageFilter): void {
  if (since === undefined || until === undefined || since < until) return;
  throw new SwitchyardError({
    code: 'request/invalid',
    message: 'The period ends before it begins.',
    hint: '--since is earlier than --until.',
  });
}

function facts(sum: UsageSum, reported: Usage | undefined): UsageFacts {
  if (reported === undefined) return { ...sum, reported: null, difference: null };
  const { input, output } = sum.tokens;
  const isPriced = sum.unpriced === 0 && sum.cost !== null && reported.cost !== null;
  return {
    ...sum,
    reported,
    difference: {
      tokens: input + output - reported.input - reported.output,
      cost: isPriced ? (sum.cost ?? 0) - (reported.cost ?? 0) : null,
    },
  };
}
