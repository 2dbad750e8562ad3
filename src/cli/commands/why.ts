import { printable } from '../../lib/printable.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';
import type { RunReference } from './show.ts';

export async function why(context: CommandContext, options: RunReference): Promise<number> {
  const { client } = await connect(context, options);
  const answer = await client.call('whyRun', {}, { run: options.run });
  return print(context, options, answer, ({ lines }) => lines.map((line) => printable(line)));
}
