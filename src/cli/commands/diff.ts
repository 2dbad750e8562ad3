import type { RunDiff } from '../../api/schemas/run.ts';
import { counted } from '../../lib/counted.ts';
import { printableLine } from '../../lib/printable.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';
import { patchLines, statLines } from '../render/diff.ts';
import { messageLines } from '../render/event.ts';
import { styleOf } from '../render/style.ts';
import type { RunReference } from './show.ts';

export interface DiffOptions extends RunReference {
  readonly stat?: boolean;
}

/**
 * What a run changed. Into a pipe or a file goes the patch itself, byte for byte, so that `git apply` can read it. What was taken along
 * uncommitted is the person's own change: it is said on standard error, and not shown.
 */
export async function diff(context: CommandContext, options: DiffOptions): Promise<number> {
  const { client } = await connect(context, options);
  const answer = await client.call('diffRun', {}, { run: options.run });
  if (options.json !== true) sayIncluded(context, answer);
  if (options.json !== true && options.stat !== true && context.stdout.isTTY !== true) {
    context.stdout.write(answer.patch);
    return 0;
  }
  return print(context, options, answer, ({ stat, patch }, style) =>
    options.stat === true || patch === '' ? statLines(stat, style) : patchLines(patch, style),
  );
}

const MOST_NAMED = 5;

function sayIncluded(context: CommandContext, { included }: RunDiff): void {
  if (included === undefined) return;
  const { commit, files } = included;
  const names = files.slice(0, MOST_NAMED).map((file) => printableLine(file));
  const more = files.length > MOST_NAMED ? `, and ${files.length - MOST_NAMED} more` : '';
  const text = `Not shown: your own uncommitted changes in ${counted(files.length, 'file')} (${names.join(', ')}${more}), taken along as commit ${commit.slice(0, 10)}. They are part of what is merged.`;
  const style = styleOf(context.stderr, context.env);
  context.stderr.write(
    messageLines('info', text, style)
      .map((line) => `${line}\n`)
      .join(''),
  );
}
