import { printActed } from '../acted.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { personOf } from '../person.ts';
import type { RunReference } from './show.ts';

export interface ApproveOptions extends RunReference {
  readonly head?: string;
  readonly choice?: string;
  readonly note?: string;
}

/** Answers a run that waits for a person. What it does then is not waited for. */
export async function approve(context: CommandContext, options: ApproveOptions): Promise<number> {
  const { client } = await connect(context, options);
  const { head, choice, note } = options;
  const acted = await client.call(
    'decideRun',
    {
      ...(head === undefined ? {} : { head }),
      ...(choice === undefined ? {} : { choice }),
      ...(note === undefined ? {} : { note }),
      actor: personOf(context),
    },
    { run: options.run },
  );
  return printActed(context, options, acted);
}
