import { UsageBy } from '../../domain/usage.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';
import { csv } from '../render/csv.ts';
import { PLAIN } from '../render/style.ts';
import { usageCsv, usageScreen } from '../render/usage.ts';
import { usageError } from '../usage-error.ts';
import { readMoment } from './usage-period.ts';

export interface UsageOptions {
  readonly run?: string;
  readonly by?: string;
  readonly since?: string;
  readonly until?: string;
  readonly csv?: boolean;
  readonly json?: boolean;
  readonly server?: string;
}

/** Of all runs it would be more every day. */
const USUAL_PERIOD = '30d';

/** What calls to models came to: of one run by step, of all runs of the last 30 days by run, or as it is asked for. */
export async function usage(context: CommandContext, options: UsageOptions): Promise<number> {
  const { run } = options;
  const by = options.by === undefined ? undefined : readBy(options.by);
  const now = context.clock.now();
  const isBounded = run !== undefined || options.until !== undefined;
  const since = readMoment('--since', options.since ?? (isBounded ? undefined : USUAL_PERIOD), now);
  const until = readMoment('--until', options.until, now);
  const { client } = await connect(context, options);
  const report = await client.call('usage', {
    ...(run === undefined ? {} : { run }),
    ...(by === undefined ? {} : { by }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  });
  if (options.csv !== true) return print(context, options, report, usageScreen);
  context.stdout.write(csv(usageCsv(report)));
  if (report.total.calls === 0) context.stderr.write(`${usageScreen(report, PLAIN).join('\n')}\n`);
  return 0;
}

function readBy(text: string): UsageBy {
  const read = UsageBy.safeParse(text);
  if (read.success) return read.data;
  throw usageError(`Nothing is counted by ${JSON.stringify(text)}.`, `Known are ${UsageBy.options.join(', ')}.`);
}
