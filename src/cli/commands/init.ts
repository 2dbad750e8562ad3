import { printable } from '../../lib/printable.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';
import { messageLines } from '../render/event.ts';
import { paint } from '../render/style.ts';

export interface InitOptions {
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly server?: string;
}

/** Writes a first configuration for the repository, from what is found in it. */
export async function init(context: CommandContext, options: InitOptions): Promise<number> {
  const { client } = await connect(context, options);
  const result = await client.call('initRepository', {
    path: context.cwd,
    dryRun: options.dryRun ?? false,
    force: options.force ?? false,
  });
  return print(context, options, result, (value, style) => [
    `${value.written ? 'wrote' : 'would write'} ${printable(value.file)}`,
    '',
    ...printable(value.text)
      .trimEnd()
      .split('\n')
      .map((line) => paint(style, 'dim', `    ${line}`)),
    ...(value.notes.length === 0 ? [] : ['', ...value.notes.flatMap((note) => messageLines('info', note, style))]),
  ]);
}
