import type { ApiClient } from '../../api/client.ts';
import { isEnded } from '../../domain/run.ts';
import { printableLine } from '../../lib/printable.ts';
import { printActed } from '../acted.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { personOf } from '../person.ts';
import { nextCommands } from '../render/state.ts';
import { paint, styleOf } from '../render/style.ts';
import { usageError } from '../usage-error.ts';
import type { RunReference } from './show.ts';

export interface ApproveOptions extends RunReference {
  readonly head?: string;
  readonly choice?: string;
  readonly note?: string;
}

/** Answers a run that waits for a person. What it does then is not waited for. */
export async function approve(context: CommandContext, options: ApproveOptions): Promise<number> {
  if (options.choice === 'changes' && (options.note ?? '').trim() === '') {
    throw usageError(
      'What should be different is not said.',
      `Say it: \`switchyard approve ${printableLine(options.run)} --choice changes --note "…"\`.`,
    );
  }
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
  const code = printActed(context, options, acted);
  if (options.json !== true && isEnded(acted.state.kind)) await printNext(context, client, acted.run);
  return code;
}

/** The answer was the last that was wanted: what can be done with the result now. */
async function printNext(context: CommandContext, client: ApiClient, id: string): Promise<void> {
  const run = await client.call('showRun', {}, { run: id });
  const style = styleOf(context.stdout, context.env);
  const lines = nextCommands(run, printableLine(run.slug), style.width - 4);
  context.stdout.write(lines.map((line) => `    ${paint(style, 'dim', line)}\n`).join(''));
}
