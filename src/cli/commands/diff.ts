import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';
import { patchLines, statLines } from '../render/diff.ts';
import type { RunReference } from './show.ts';

export interface DiffOptions extends RunReference {
  readonly stat?: boolean;
}

/** What a run changed. Into a pipe or a file goes the patch itself, byte for byte, so that `git apply` can read it. */
export async function diff(context: CommandContext, options: DiffOptions): Promise<number> {
  const { client } = await connect(context, options);
  const answer = await client.call('diffRun', {}, { run: options.run });
  if (options.json !== true && options.stat !== true && context.stdout.isTTY !== true) {
    context.stdout.write(answer.patch);
    return 0;
  }
  return print(context, options, answer, ({ stat, patch }, style) =>
    options.stat === true || patch === '' ? statLines(stat, style) : patchLines(patch, style),
  );
}
