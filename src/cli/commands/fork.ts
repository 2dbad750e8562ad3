import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { personOf } from '../person.ts';
import type { Loudness } from '../progress.ts';
import { accepted, follow } from './run.ts';
import type { RunReference } from './show.ts';

export interface ForkOptions extends RunReference, Loudness {
  readonly from?: string;
  readonly agent?: string;
  readonly prompt?: string;
  readonly detach?: boolean;
}

/** Starts a run from a step of another one, and follows it as `run` does. */
export async function fork(context: CommandContext, options: ForkOptions): Promise<number> {
  const { run, from, agent, prompt } = options;
  const server = await connect(context, options);
  const started = await server.client.call(
    'forkRun',
    {
      ...(from === undefined ? {} : { from }),
      ...(agent === undefined ? {} : { agent }),
      ...(prompt === undefined ? {} : { prompt }),
      actor: personOf(context),
    },
    { run },
  );
  return options.detach === true
    ? accepted(context, options, started)
    : await follow(context, server, { started, options });
}
