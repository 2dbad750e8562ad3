import type { EventPayload } from '../domain/event.ts';
import type { PersonsMessages } from '../ports/node.ts';
import { isAnythingUnheard, isUrgent, markHeard, takeMessages, URGENT_CHANNEL } from '../store/messages.ts';
import type { MessageRow, StepRow } from '../store/rows.ts';
import { lockRun } from '../store/runs.ts';
import { type Claim, leaseOf } from './claim.ts';
import type { Engine } from './engine.ts';
import { openRun, record, write } from './transition.ts';

/** What an attempt has to do with what persons say to its agent. Events that the journal has queued come before a delivery. */
export function deliveries(engine: Engine, claimed: Claim, journal: { flush(): Promise<void> }): PersonsMessages {
  const { run, step, attempt } = claimed;
  const { database, clock } = engine;
  let taken: readonly string[] = [];
  return {
    async take() {
      await journal.flush();
      const at = new Date(clock.now());
      const isAnything = await isAnythingUnheard(database, run.id);
      const found = !isAnything
        ? []
        : await database.transaction(async (queries) => {
            const open = openRun(engine, queries, await lockRun(queries, run.id));
            if ((await leaseOf(queries, claimed)) !== 'held') return [];
            const messages = await takeMessages(queries, run.id, { step: step.id, attempt, at });
            for (const message of messages)
              record(open, { kind: 'system', name: step.worker ?? 'switchyard' }, delivered(message, step));
            await write(open);
            return messages;
          });
      const before = new Set(taken);
      taken = found.map(({ id }) => id);
      return found.map((message) => ({
        from: message.actor.name,
        text: message.text,
        again:
          before.has(message.id) ||
          (message.delivered_at !== null && (message.step !== step.id || message.attempt !== attempt)),
      }));
    },
    async heard() {
      if (taken.length === 0) return;
      await markHeard(database, taken, { step: step.id, attempt, at: new Date(clock.now()) });
      taken = [];
    },
    urgent: (signal) => urgent(engine, run.id, signal),
  };
}

/** What the journal says of a message that was given to a step. */
export function delivered(
  { id, actor }: Pick<MessageRow, 'id' | 'actor'>,
  { node, n }: Pick<StepRow, 'node' | 'n'>,
): EventPayload {
  const text = `What ${actor.name} said was given to ${node} #${n}.`;
  return { kind: 'message', level: 'info', text, node, n, sent: { id, state: 'delivered' } };
}

async function urgent({ database }: Engine, run: string, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  const came = Promise.withResolvers<boolean>();
  const onAbort = () => came.resolve(false);
  signal.addEventListener('abort', onAbort, { once: true });
  const look = () =>
    void isUrgent(database, run).then(
      (is) => (is ? came.resolve(true) : undefined),
      () => undefined, // asked again when the connection is back
    );
  try {
    await using _listening = await database.listen([URGENT_CHANNEL], (message) => {
      if (message === undefined || message.payload === run) look();
    });
    return await came.promise;
  } catch {
    return await came.promise; // nothing can be heard of: the message is taken when the turn ends
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
