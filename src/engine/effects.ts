import { between } from '../lib/crash-point.ts';
import { markDone, type OutboxRow, takeEffect } from '../store/outbox.ts';
import { getRun, updateRun } from '../store/runs.ts';
import { getRepository } from '../store/tasks.ts';
import { runRef } from '../workspaces/git-store.ts';
import type { Engine } from './engine.ts';
import type { Host } from './host.ts';

/**
 * Does what the outbox holds for this worker; each effect looks before it acts, so that doing it again after a death in the middle
 * changes nothing. True when something was done.
 */
export async function doEffects(engine: Engine, host: Host): Promise<boolean> {
  let some = false;
  for (;;) {
    const done = await engine.database.transaction(async (queries) => {
      const effect = await takeEffect(queries, host.worker);
      if (effect === undefined) return false;
      await perform(engine, host, effect);
      await markDone(queries, effect.id);
      return true;
    });
    if (!done) return some;
    some = true;
  }
}

async function perform(engine: Engine, host: Host, effect: OutboxRow): Promise<void> {
  switch (effect.kind) {
    case 'remove-workspace':
      await between(engine.crashPoint, 'workspace-remove', () => host.workspaces.remove(effect.run));
      return;
    case 'trash':
      await trash(engine, host, effect.run);
      return;
    case 'restore':
      await restore(engine, host, effect.run);
      return;
  }
}

/** The run's refs go to the trash of the git store; its branch leaves the person's repository if nobody has moved it. */
async function trash(engine: Engine, host: Host, id: string): Promise<void> {
  const run = await getRun(engine.database, id);
  const repository = await getRepository(engine.database, run.repository);
  const store = await host.openStore(repository);
  await store.keep(runRef(id, 'head'), run.head);
  await store.moveToTrash(id);
  if (run.delivered !== null) await host.forge(repository, store).unpublish({ branch: `switchyard/${run.slug}`, expected: run.delivered });
}

async function restore(engine: Engine, host: Host, id: string): Promise<void> {
  const run = await getRun(engine.database, id);
  const repository = await getRepository(engine.database, run.repository);
  const store = await host.openStore(repository);
  await store.restoreFromTrash(id);
  if (run.delivered === null) return;
  const published = await host.forge(repository, store).publish({ branch: `switchyard/${run.slug}`, commit: run.delivered, expected: undefined });
  // Somebody has made a branch of that name meanwhile: it stays theirs, and the run knows that it has none.
  if (published.kind === 'moved') await updateRun(engine.database, id, { delivered: null });
}
