import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { fromFolder } from '../from-folder.ts';
import { print } from '../print.ts';
import { runTable } from '../render/run.ts';

export interface LsOptions {
  readonly all?: boolean;
  readonly json?: boolean;
  readonly server?: string;
}

/** The runs of the repository that the person stands in; with `all`, or outside of any, those of all repositories. */
export async function ls(context: CommandContext, options: LsOptions): Promise<number> {
  const { client } = await connect(context, options);
  const { answer: runs, isRepository } =
    options.all === true
      ? { answer: await client.call('listRuns', { all: 'true' }), isRepository: false }
      : await fromFolder(context.cwd, (place) => client.call('listRuns', place));
  return print(context, options, runs, (value, style) => {
    if (value.length > 0) return runTable(value, style, { now: context.clock.now(), repositories: !isRepository });
    return [`There are no runs ${isRepository ? 'of this repository' : 'yet'}. \`switchyard run "…"\` starts one.`];
  });
}
