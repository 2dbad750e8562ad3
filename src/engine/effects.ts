import { isEnded } from '../domain/run.ts';
import { markDone, type OutboxRow, putOff, takeEffect } from '../store/outbox.ts';
import { getRepository } from '../store/repositories.ts';
import type { RunRow } from '../store/rows.ts';
import { getRun, updateRun } from '../store/runs.ts';
import { runRef } from '../workspaces/git-store.ts';
import { admit } from './admission.ts';
import type { Engine } from './engine.ts';
import type { Host } from './host.ts';

export interface EffectsOptions {
  readonly engine: Engine;
  readonly host: Host;
  /** Resolves when this worker works on no step of the run; undefined when it does not now. */
  readonly atWork: (run: string) => Promise<void> | undefined;
  readonly log: (text: string, error: unknown) => void;
}

/**
 * Does what the outbox holds for this worker. No transaction is held meanwhile: an effect is taken, done and ticked off, and each looks
 * before it acts, so that doing it again after a death in the middle changes nothing. One that fails is put off.
 */
export class Effects {
  readonly #options: EffectsOptions;
  readonly #removing = new Map<string, Promise<void>>();

  constructor(options: EffectsOptions) {
    this.#options = options;
  }

  /** Does everything that is open now, one after the other, until `signal` aborts. */
  async doAll(signal: AbortSignal): Promise<void> {
    const { engine, host, log } = this.#options;
    while (!signal.aborted) {
      const effect = await takeEffect(engine.database, host.worker);
      if (effect === undefined) return;
      try {
        await this.#perform(effect);
      } catch (error) {
        log(`the effect ${effect.kind} of run ${effect.run} failed`, error);
        await putOff(engine.database, effect.id);
        continue;
      }
      await markDone(engine.database, effect.id);
      // Steps of the run have waited for it.
      if (effect.kind !== 'remove-workspace') await engine.database.transaction((queries) => admit(engine, queries));
    }
  }

  /** Resolves when the run's workspace is no longer being removed; undefined when it is not now. */
  removal(run: string): Promise<void> | undefined {
    return this.#removing.get(run);
  }

  async #perform({ kind, run: id }: OutboxRow): Promise<void> {
    const { engine } = this.#options;
    const run = await getRun(engine.database, id);
    switch (kind) {
      case 'remove-workspace':
        return this.#removeWorkspace(id);
      case 'trash':
        return run.state.kind === 'discarded' ? this.#trash(run) : undefined;
      case 'restore':
        return run.state.kind === 'discarded' ? undefined : this.#restore(run);
    }
  }

  /** A run that was taken up again meanwhile keeps its workspace: its next end asks for the removal again. */
  async #removeWorkspace(id: string): Promise<void> {
    const { engine, host, atWork } = this.#options;
    for (;;) {
      const { state } = await getRun(engine.database, id);
      if (!isEnded(state.kind)) return;
      const busy = atWork(id);
      if (busy === undefined) break;
      await busy;
    }
    // From here to the removal's beginning nothing is awaited: a step that begins now finds it.
    const removal = host.workspaces.remove(id);
    const over = removal.then(
      () => void this.#removing.delete(id),
      () => void this.#removing.delete(id),
    );
    this.#removing.set(id, over);
    await removal;
  }

  /** The run's refs go to the trash of the git store; its branch leaves the person's repository if nobody has moved it. */
  async #trash(run: RunRow): Promise<void> {
    const { engine, host } = this.#options;
    const repository = await getRepository(engine.database, run.repository);
    const store = await host.openStore(repository);
    await store.keep(runRef(run.id, 'head'), run.head);
    await store.moveToTrash(run.id);
    if (run.delivered === null) return;
    await host.forge(repository, store).unpublish({ branch: branchOf(run), expected: run.delivered });
  }

  async #restore(run: RunRow): Promise<void> {
    const { engine, host } = this.#options;
    const repository = await getRepository(engine.database, run.repository);
    const store = await host.openStore(repository);
    await store.restoreFromTrash(run.id);
    if (run.delivered === null) return;
    const forge = host.forge(repository, store);
    const published = await forge.publish({ branch: branchOf(run), commit: run.delivered, expected: undefined });
    // Somebody has made a branch of that name meanwhile: it stays theirs, and the run knows that it has none.
    if (published.kind === 'moved') await updateRun(engine.database, run.id, { delivered: null });
  }
}

const branchOf = (run: RunRow) => `switchyard/${run.slug}`;
