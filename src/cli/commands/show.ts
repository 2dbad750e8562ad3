import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';
import { runScreen } from '../render/run.ts';

export interface RunReference {
  readonly run: string;
  readonly json?: boolean;
  readonly server?: string;
}

export async function show(context: CommandContext, options: RunReference): Promise<number> {
  const { client } = await connect(context, options);
  return print(context, options, await client.call('showRun', {}, { run: options.run }), runScreen);
}
