import type { RunDetail, RunSummary, StepView } from '../api/schemas.ts';
import type { FlowState } from '../blueprint/advance.ts';
import { limitsInUse } from '../engine/limits.ts';
import type { Queries } from '../store/database.ts';
import type { RunRow, StepRow } from '../store/rows.ts';
import { countAttempts, stepsOf } from '../store/steps.ts';
import { getRepository, getTask } from '../store/tasks.ts';

/** A run as `ls` shows it. */
export async function runSummary(queries: Queries, run: RunRow): Promise<RunSummary> {
  const [task, repository] = await Promise.all([getTask(queries, run.task), getRepository(queries, run.repository)]);
  const { used, allowed } = (run.flow as FlowState).steps;
  return {
    schema: 1,
    id: run.id,
    slug: run.slug,
    task: run.task,
    title: task.title,
    repository: repository.path,
    blueprint: run.blueprint.name,
    agent: run.settings.agent,
    requester: run.requester,
    createdAt: run.created_at.toISOString(),
    endedAt: run.ended_at?.toISOString() ?? null,
    state: run.state,
    base: { ref: run.base_ref, commit: run.base_commit },
    head: run.head,
    target: run.target,
    branch: run.delivered === null ? null : `switchyard/${run.slug}`,
    ...(run.merged === null ? {} : { merged: { commit: run.merged.commit, tree: run.merged.tree } }),
    limits: limitsInUse(run, { used, allowed }),
    usage: run.consumed.usage,
    sandbox: run.settings.sandbox,
  };
}

/** A run as `show` shows it, with its steps in order. */
export async function runDetail(queries: Queries, run: RunRow): Promise<RunDetail> {
  const [summary, steps, attempts] = await Promise.all([
    runSummary(queries, run),
    stepsOf(queries, run.id),
    countAttempts(queries, run.id),
  ]);
  return { ...summary, steps: steps.map((step) => stepView(step, attempts.get(step.id) ?? 0)) };
}

function stepView(step: StepRow, attempts: number): StepView {
  return {
    node: step.node,
    n: step.n,
    kind: step.kind,
    state: step.state,
    outcome: step.outcome,
    ...(step.detail === null ? {} : { detail: step.detail }),
    attempts,
    startedAt: step.started_at?.toISOString() ?? null,
    endedAt: step.ended_at?.toISOString() ?? null,
    checkpoint: step.head ?? step.checkpoint,
  };
}
