import type { Claim } from './claim.ts';
import type { Engine } from './engine.ts';
import type { Journal } from './journal.ts';

interface Speaker {
  readonly engine: Engine;
  readonly claimed: Claim;
  readonly journal: Journal;
}

/** A warning that the run's journal has once, however many of its steps and attempts come upon the same `key`: the run's row remembers it. */
export async function sayOnce({ engine, claimed, journal }: Speaker, key: string, text: string): Promise<void> {
  const { run, step } = claimed;
  const first = await engine.database.query(
    'update run set said = said || to_jsonb($2::text) where id = $1 and not said ? $2 returning 1',
    [run.id, key],
  );
  if (first.length === 1) await journal.add({ kind: 'message', level: 'warning', text, node: step.node, n: step.n });
}

/** The same for whoever cannot wait for it. Disposing waits until all of it is told, and comes before the journal's end. */
export class SaidAside implements AsyncDisposable {
  readonly #speaker: Speaker;
  readonly #telling = new Set<Promise<void>>();

  constructor(speaker: Speaker) {
    this.#speaker = speaker;
  }

  sayOnce(key: string, text: string): void {
    // What could not be written is kept by the journal, and fails for whoever writes next.
    const telling = sayOnce(this.#speaker, key, text).catch(() => undefined);
    this.#telling.add(telling);
    void telling.then(() => this.#telling.delete(telling));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#telling);
  }
}
