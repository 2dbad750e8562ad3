import { SwitchyardError } from '../lib/error.ts';
import type { Database } from './database.ts';

/**
 * The same database for work that had better wait than fail: where others are told `database/unavailable`, it goes on waiting until
 * the signal aborts. Not to be disposed.
 */
export function enduring(database: Omit<Database, typeof Symbol.asyncDispose>, until: AbortSignal): Database {
  async function endure<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        const isAway = error instanceof SwitchyardError && error.code === 'database/unavailable';
        if (!isAway || until.aborted) throw error;
      }
    }
  }
  return {
    url: database.url,
    query: (text, values) => endure(() => database.query(text, values)),
    transaction: (work) => endure(() => database.transaction(work)),
    listen: (channels, onMessage) => database.listen(channels, onMessage),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
