import { begin } from '../blueprint/advance.ts';
import type { Actor } from '../domain/actor.ts';
import type { Blueprint } from '../domain/blueprint.ts';
import { NO_USAGE } from '../domain/run.ts';
import type { RunSettings } from '../domain/settings.ts';
import type { Task } from '../domain/task.ts';
import { upsertRepository } from '../store/repositories.ts';
import type { RepositoryRow, RunRow } from '../store/rows.ts';
import { findRun, freeSlug, getRun, insertRun } from '../store/runs.ts';
import { insertTask } from '../store/tasks.ts';
import type { Engine } from './engine.ts';
import { enter, openRun, record, writeAndAdmit } from './transition.ts';

/** What a run starts with; everything has been looked up and checked before. */
export interface NewRunFacts {
  readonly id: string;
  readonly slug: string;
  readonly task: Task;
  readonly repository: RepositoryRow;
  readonly blueprint: Blueprint;
  readonly settings: RunSettings;
  readonly base: { readonly ref: string; readonly commit: string };
  readonly target: string | null;
  readonly actor: Actor;
  /** Said in the journal before anything else. */
  readonly notes: readonly string[];
}

/** Stores task and run and lets the first step wait for admission, in one transaction. Doing it again changes nothing. */
export async function startRun(engine: Engine, facts: NewRunFacts): Promise<RunRow> {
  const now = new Date(engine.clock.now());
  const { id, task, repository, blueprint, settings, base } = facts;
  return engine.database.transaction(async (queries) => {
    const known = await findRun(queries, id);
    if (known !== undefined) return known;
    await upsertRepository(queries, repository, now);
    const moved = begin(blueprint, {}, { steps: settings.limits.steps ?? DEFAULT_STEPS });
    await insertRun(queries, {
      id,
      task: await insertTask(queries, task, now),
      slug: await freeSlug(queries, facts.slug),
      repository: repository.id,
      state: { kind: 'queued' },
      blueprint,
      flow: moved.state,
      settings,
      base_ref: base.ref,
      base_commit: base.commit,
      target: facts.target,
      head: base.commit,
      consumed: { wall: 0, turns: 0, usage: NO_USAGE },
      requester: task.requester,
      priority: task.priority,
      created_at: now,
    });
    const run = openRun(engine, queries, await getRun(queries, id));
    record(run, facts.actor, { kind: 'run.started', blueprint: blueprint.name, base: base.commit, title: task.title });
    for (const text of facts.notes) record(run, facts.actor, { kind: 'message', level: 'info', text });
    await enter(run, moved);
    await writeAndAdmit(run);
    return getRun(queries, id);
  });
}

/** Where neither blueprint nor configuration bounds the steps. */
export const DEFAULT_STEPS = 40;
