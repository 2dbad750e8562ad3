import type { Sent } from '../../api/schemas/message.ts';
import { randomIds } from '../../lib/ids.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { followLine } from '../acted.ts';
import { connect, type Server } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { EXIT_CODES, exitCodeOf } from '../exit-code.ts';
import { followRun, nextEventOf } from '../follow-run.ts';
import { personOf } from '../person.ts';
import { print } from '../print.ts';
import { paint } from '../render/style.ts';
import { readText } from '../run-input.ts';
import type { RunReference } from './show.ts';

export interface SendOptions extends RunReference {
  readonly text?: string;
  readonly file?: string;
  readonly now?: boolean;
  readonly wait?: boolean;
}

/** Says something to a run's agent, and what becomes of it. */
export async function send(context: CommandContext, options: SendOptions): Promise<number> {
  const { text: written, file, run, now = false } = options;
  const hint = 'Write it in quotes: switchyard send @last "Mind the tabs".';
  const text = await readText(context, { what: 'message', hint, text: written, file });
  const server = await connect(context, options);
  const { id } = await server.client.call('showRun', {}, { run });
  const from = options.wait === true ? await nextEventOf(server, id) : 1;
  // A name of its own, so that a request that is sent again is the same message.
  const request = { id: randomIds(), text, now, actor: personOf(context) };
  const sent = await server.client.call('sendToRun', request, { run: id });
  print(context, options, sent, ({ state, text: what }, style) => [
    `${paint(style, state === 'queued' ? 'dim' : 'cyan', '»')} ${state}: ${printable(what)}`,
    ...(options.wait === true ? [] : [followLine(run, style)]),
  ]);
  return options.wait === true ? await untilDelivered(context, server, { sent, from, options }) : EXIT_CODES.ok;
}

/** A run that stops before shows that by its exit code; the message then waits for whoever has the run go on. */
async function untilDelivered(
  context: CommandContext,
  server: Server,
  { sent, from, options }: { sent: Sent; from: number; options: SendOptions },
): Promise<number> {
  const left = new AbortController();
  using _ = context.onInterrupt(() => left.abort());
  const events = followRun(server, sent.run, { from, signal: left.signal });
  try {
    for (;;) {
      const came = await events.next();
      if (came.done === true) return exitCodeOf(came.value.state.kind) || EXIT_CODES.failed;
      const event = came.value;
      if (event.kind !== 'message' || event.sent?.id !== sent.message || event.sent.state !== 'delivered') continue;
      const told = {
        schema: 1,
        run: sent.run,
        message: sent.message,
        state: 'delivered',
        node: event.node,
        n: event.n,
      };
      return print(context, options, told, () => [`» ${printableLine(event.text)}`]);
    }
  } catch (error) {
    if (left.signal.aborted) return EXIT_CODES.interrupted;
    throw error;
  } finally {
    await events.return(undefined as never).catch(() => undefined);
  }
}
