import type { ParsedRequestOf } from '../api/routes.ts';
import type { UsageFacts, UsageReport } from '../api/schemas/usage.ts';
import type { Usage } from '../domain/run.ts';
import { SwitchyardError } from '../lib/error.ts';
import { reportedUsage, type UsageFilter, type UsageSum, usageGroups, usageTotal } from '../store/model-usage.ts';
import { resolveRun } from '../store/runs.ts';
import type { OperationContext } from './operations.ts';

interface Context extends Pick<OperationContext, 'machine'> {
  readonly engine: Pick<OperationContext['engine'], 'database'>;
}

/**
 * What calls to models came to in a period, as the gateway has counted them; of runs also what the agents themselves say. Teams are
 * those of the machine's configuration as it is now. Rejects with `run/not-found`, or `request/invalid` for a period that ends before
 * it begins.
 */
export async function usage(
  { engine: { database }, machine }: Context,
  request: ParsedRequestOf<'usage'>,
): Promise<UsageReport> {
  const run = request.run === undefined ? undefined : await resolveRun(database, request.run);
  const filter: UsageFilter = { run: run?.id, since: moment(request.since), until: moment(request.until) };
  refuseEmptyPeriod(filter);
  const by = request.by ?? (run === undefined ? 'run' : 'step');
  const { teams } = await machine();
  const groups = await usageGroups(database, by, { filter, teams });
  const runs = [run?.id, ...(by === 'run' ? groups.map(({ key }) => key) : [])].filter((id) => typeof id === 'string');
  const [total, reported] = await Promise.all([
    usageTotal(database, filter),
    reportedUsage(database, [...new Set(runs)], filter),
  ]);
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
  };
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
