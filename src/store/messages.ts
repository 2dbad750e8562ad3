import { insert, update } from './changes.ts';
import type { Queries } from './database.ts';
import type { MessageRow } from './rows.ts';

/** Told the run's id when a message came for which the turn at work is to be interrupted. */
export const URGENT_CHANNEL = 'switchyard_urgent';

export type NewMessage = Pick<MessageRow, 'id' | 'run' | 'text' | 'actor' | 'urgent' | 'answer' | 'sent_at' | 'step'> &
  Partial<Pick<MessageRow, 'quiet'>>;

/** Stores a message; one with the same id is left as it is. */
export async function insertMessage(queries: Queries, message: NewMessage): Promise<void> {
  await insert(queries, 'message', { ...message });
  if (message.urgent) await queries.query('select pg_notify($1, $2)', [URGENT_CHANNEL, message.run]);
}

export async function updateAnswer(queries: Queries, id: string, answer: MessageRow['answer']): Promise<void> {
  await update(queries, 'message', id, { answer });
}

export async function findMessage(queries: Queries, id: string): Promise<MessageRow | undefined> {
  const [row] = await queries.query<MessageRow>('select * from message where id = $1', [id]);
  return row;
}

/** All messages to a run's agent, in order. */
export async function messagesOf(queries: Queries, run: string): Promise<MessageRow[]> {
  return queries.query<MessageRow>('select * from message where run = $1 order by position', [run]);
}

/** Those for which the run is to go on that no step was given yet, in order. */
export async function unclaimedMessages(queries: Queries, run: string): Promise<MessageRow[]> {
  return queries.query<MessageRow>(
    'select * from message where run = $1 and heard_at is null and step is null and not quiet order by position',
    [run],
  );
}

/** Whether there are any that no turn has heard to its end. */
export async function isAnythingUnheard(queries: Queries, run: string): Promise<boolean> {
  const [answer] = await queries.query<{ some: boolean }>(
    'select exists (select 1 from message where run = $1 and heard_at is null) as some',
    [run],
  );
  return answer?.some === true;
}

/** Those that no turn has heard to its end, in order, as they were before this attempt took them all. */
export async function takeMessages(
  queries: Queries,
  run: string,
  by: { step: string; attempt: number; at: Date },
): Promise<MessageRow[]> {
  const found = await queries.query<MessageRow>(
    'select * from message where run = $1 and heard_at is null order by position for update',
    [run],
  );
  if (found.length > 0) {
    await queries.query(
      'update message set step = $2, attempt = $3, delivered_at = coalesce(delivered_at, $4) where id = any($1)',
      [found.map(({ id }) => id), by.step, by.attempt, by.at],
    );
  }
  return found;
}

/** The turn of this attempt that held them has ended. */
export async function markHeard(
  queries: Queries,
  ids: readonly string[],
  by: { step: string; attempt: number; at: Date },
): Promise<void> {
  await queries.query('update message set heard_at = $4 where id = any($1) and step = $2 and attempt = $3', [
    ids,
    by.step,
    by.attempt,
    by.at,
  ]);
}

/** Gives messages to the step that a run goes on with for them. */
export async function giveMessages(queries: Queries, ids: readonly string[], step: string): Promise<void> {
  await queries.query('update message set step = $2 where id = any($1)', [ids, step]);
}

/** They are a part of what their step is given anyway. */
export async function markGiven(queries: Queries, ids: readonly string[], at: Date): Promise<void> {
  await queries.query('update message set delivered_at = $2, heard_at = $2 where id = any($1)', [ids, at]);
}

/** Whether something waits for which the turn at work is to be interrupted. */
export async function isUrgent(queries: Queries, run: string): Promise<boolean> {
  const [answer] = await queries.query<{ some: boolean }>(
    'select exists (select 1 from message where run = $1 and urgent and delivered_at is null and heard_at is null) as some',
    [run],
  );
  return answer?.some === true;
}
