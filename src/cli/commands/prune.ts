import { printableLine } from '../../lib/printable.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';

export interface PruneOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly server?: string;
}

/** Removes what has been kept for long enough, or says what that is. */
export async function serverPrune(context: CommandContext, options: PruneOptions): Promise<number> {
  const { client } = await connect(context, options);
  const answer = await client.call('prune', { dryRun: options.dryRun ?? false });
  return print(context, options, answer, ({ items, dryRun }) => [
    ...items.map(({ what, why }) => `${dryRun ? 'would go' : 'gone'}: ${printableLine(what)} (${printableLine(why)})`),
    ...(items.length === 0 ? ['There is nothing that may go. Periods are set with `retention:` in config.yaml.'] : []),
    ...(dryRun && items.length > 0 ? ['Nothing was done: this is a dry run.'] : []),
  ]);
}
