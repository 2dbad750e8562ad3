import type { ParsedRequestOf } from '../api/routes.ts';
import type { Sent } from '../api/schemas/message.ts';
import { isEnded } from '../domain/run.ts';
import { sendMessage } from '../engine/send.ts';
import { SwitchyardError } from '../lib/error.ts';
import { isAncestor } from '../lib/git/commits.ts';
import { getRepository } from '../store/repositories.ts';
import type { RunRow } from '../store/rows.ts';
import { runRef } from '../workspaces/git-store.ts';
import { runToActOn } from './hand-back.ts';
import { heedConfiguration, type OperationContext } from './operations.ts';

/** Prompts hold several of them. */
const TEXT_LIMIT = 256 * 1024;

/** A person says something to a run's agent, whatever the run does now. */
export async function sendToRun(
  context: OperationContext,
  reference: string,
  request: ParsedRequestOf<'sendToRun'>,
): Promise<Sent> {
  const text = context.engine.redact(messageText(request.text));
  const run = await runToActOn(context, reference);
  const message = request.id ?? context.engine.ids();
  await heedConfiguration(context);
  const sent = await sendMessage(context.engine, run.id, {
    id: message,
    text,
    actor: { kind: 'person', name: request.actor },
    now: request.now,
    onto: await mergedInto(context, run),
  });
  return { schema: 1, run: run.id, message, ...sent };
}

/** What a message must be: something, and not too much. */
export function messageText(text: string): string {
  if (text.trim() === '') {
    throw new SwitchyardError({
      code: 'message/empty',
      message: 'The message is empty.',
      hint: 'Say what the agent should know: `switchyard send @last "Mind the tabs"`.',
    });
  }
  if (Buffer.byteLength(text) > TEXT_LIMIT) {
    throw new SwitchyardError({
      code: 'message/too-large',
      message: `The message has ${Math.ceil(Buffer.byteLength(text) / 1024)} KiB; at most ${TEXT_LIMIT / 1024} are taken.`,
      hint: 'Put the long part into a file of the repository and name it.',
    });
  }
  return text.trim();
}

/** The target's present commit, where all that the run has merged is in it; kept for the run to go on from. */
async function mergedInto({ engine, host }: OperationContext, run: RunRow): Promise<string | undefined> {
  if (run.merged === null || !isEnded(run.state.kind)) return undefined;
  const repository = await getRepository(engine.database, run.repository);
  const store = await host.openStore(repository);
  const tip = await host.forge(repository, store).branch(run.merged.target);
  if (tip === undefined) return undefined;
  const commit = await store.fetchCommit(tip);
  if (!(await isAncestor(store.path, run.merged.commit, commit))) return undefined;
  await store.keep(runRef(run.id, 'onto'), commit);
  return commit;
}
