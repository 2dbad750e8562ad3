import { printActed } from '../acted.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { personOf } from '../person.ts';
import type { RunReference } from './show.ts';

export async function restore(context: CommandContext, options: RunReference): Promise<number> {
  const { client } = await connect(context, options);
  const acted = await client.call('restoreRun', { actor: personOf(context) }, { run: options.run });
  return printActed(context, options, acted);
}
