import { resolve } from 'node:path';
import type { RunSummary } from '../../api/schemas/run.ts';
import { counted } from '../../lib/counted.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { fromFolder } from '../from-folder.ts';
import { print } from '../print.ts';
import { runTable } from '../render/list.ts';
import { paint, type Style } from '../render/style.ts';

export interface LsOptions {
  readonly all?: boolean;
  /** A path in the repository whose runs are wanted, in place of the one that the person stands in. */
  readonly repository?: string;
  readonly json?: boolean;
  readonly server?: string;
}

/**
 * The runs of the repository that the person stands in; with `all`, or outside of any, those of all repositories. Those that were put away
 * are listed with `all` only, but for programs always.
 */
export async function ls(context: CommandContext, options: LsOptions): Promise<number> {
  const { client } = await connect(context, options);
  const { answer: runs, isRepository } = await find();
  return print(context, options, runs, (value, style) => {
    if (value.length === 0)
      return [`There are no runs ${isRepository ? 'of this repository' : 'yet'}. \`switchyard run "…"\` starts one.`];
    const shown = options.all === true ? value : value.filter(({ state }) => state.kind !== 'discarded');
    const table = runTable(shown, style, { now: context.clock.now(), repositories: !isRepository });
    return [...(shown.length === 0 ? [] : table), ...hidden(value.length - shown.length, style)];
  });

  async function find(): Promise<{ answer: RunSummary[]; isRepository: boolean }> {
    const { repository } = options;
    if (repository !== undefined)
      return {
        answer: await client.call('listRuns', { repository: resolve(context.cwd, repository) }),
        isRepository: true,
      };
    if (options.all === true) return { answer: await client.call('listRuns', { all: 'true' }), isRepository: false };
    return await fromFolder(context.cwd, (place) => client.call('listRuns', place));
  }
}

function hidden(count: number, style: Style): string[] {
  return count === 0 ? [] : [paint(style, 'dim', `${counted(count, 'discarded run')} left out; --all lists them.`)];
}
