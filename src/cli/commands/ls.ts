import { failureClass } from '../../api/failure.ts';
import type { RunSummary } from '../../api/schemas.ts';
import { SwitchyardError } from '../../lib/error.ts';
import { connect, type Server } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';
import { runTable } from '../render/run.ts';

export interface LsOptions {
  readonly all?: boolean;
  readonly json?: boolean;
  readonly server?: string;
}

/** The runs of the repository that the person stands in; with `all`, or outside of any, those of all repositories. */
export async function ls(context: CommandContext, options: LsOptions): Promise<number> {
  const server = await connect(context, options);
  const here = options.all === true ? undefined : await runsHere(server, context.cwd);
  const runs = here ?? (await server.client.call('listRuns', options.all === true ? { all: '1' } : {}));
  return print(context, options, runs, (value, style) => {
    if (value.length > 0) return runTable(value, style, { now: context.clock.now(), repositories: here === undefined });
    const where = here === undefined ? 'There are no runs yet.' : 'There are no runs of this repository.';
    return [`${where} \`switchyard run "…"\` starts one.`];
  });
}

/** Undefined when this is no repository. */
async function runsHere(server: Server, cwd: string): Promise<readonly RunSummary[] | undefined> {
  try {
    return await server.client.call('listRuns', { repository: cwd });
  } catch (error) {
    if (error instanceof SwitchyardError && error.code.startsWith('repository/') && failureClass(error.code) === 'usage') return undefined;
    throw error;
  }
}
