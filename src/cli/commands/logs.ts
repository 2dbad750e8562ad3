import type { Event } from '../../domain/event.ts';
import { printableJson, printableLine } from '../../lib/printable.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { followRun } from '../follow-run.ts';
import { eventRenderer } from '../render/event.ts';
import { styleOf } from '../render/style.ts';
import type { RunReference } from './show.ts';

export interface LogsOptions extends RunReference {
  readonly follow?: boolean;
  /** `NODE#N`, or `NODE` for all of its steps. */
  readonly step?: string;
}

/** A run's journal with all that its agents said; with `follow`, on and on until the run has ended or waits for a person. */
export async function logs(context: CommandContext, options: LogsOptions): Promise<number> {
  const server = await connect(context, options);
  // From here on by its id: `@last` may become another run while this one is followed.
  const { id, slug } = await server.client.call('showRun', {}, { run: options.run });
  const render = eventRenderer({ ...styleOf(context.stdout, context.env), detail: 'full', name: printableLine(slug) });
  const { step } = options;
  const events =
    options.follow === true
      ? followRun(server, id, { from: 1 })
      : server.client.events(id, step === undefined ? {} : { step });
  for await (const event of events) {
    if (!belongsTo(event, step)) continue;
    const lines = options.json === true ? [printableJson(event)] : render(event);
    context.stdout.write(lines.map((line) => `${line}\n`).join(''));
  }
  return 0;
}

/** Following needs the events of the run as well, to know when it has ended; what is of another step is left out here. */
function belongsTo(event: Event, step: string | undefined): boolean {
  if (step === undefined) return true;
  const [node, n] = step.split('#');
  if (!('node' in event) || event.node !== node) return false;
  return n === undefined || ('n' in event && event.n === Number(n));
}
