import { printActed } from '../acted.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { personOf } from '../person.ts';
import type { RunReference } from './show.ts';

export interface RetryOptions extends RunReference {
  readonly from?: string;
}

/** Has a run go on. What it does then is not waited for. */
export async function retry(context: CommandContext, options: RetryOptions): Promise<number> {
  const { client } = await connect(context, options);
  const { run, from } = options;
  const acted = await client.call(
    'retryRun',
    { ...(from === undefined ? {} : { from }), actor: personOf(context) },
    { run },
  );
  return printActed(context, options, acted);
}
