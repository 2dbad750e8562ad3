import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';
import { whyScreen } from '../render/run.ts';
import type { RunReference } from './show.ts';

/** Where a run is, why, what it needs, and the commands that would go on with it. */
export async function why(context: CommandContext, options: RunReference): Promise<number> {
  const { client } = await connect(context, options);
  const answer = await client.call('whyRun', {}, { run: options.run });
  if (options.json === true) return print(context, options, answer, () => []);
  const run = await client.call('showRun', {}, { run: answer.run });
  return print(context, options, answer, ({ lines }, style) => whyScreen(run, lines.slice(1), style));
}
