import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';
import { runScreen } from '../render/run.ts';

export interface RunReference {
  readonly run: string;
  readonly json?: boolean;
  readonly server?: string;
}

/** One run on one screen, with why it is where it is. */
export async function show(context: CommandContext, options: RunReference): Promise<number> {
  const { client } = await connect(context, options);
  const run = await client.call('showRun', {}, { run: options.run });
  const { lines } = options.json === true ? { lines: [] } : await client.call('whyRun', {}, { run: run.id });
  // The first says what the screen says already: which run, and its state.
  return print(context, options, run, (detail, style) => runScreen(detail, lines.slice(1), style));
}
