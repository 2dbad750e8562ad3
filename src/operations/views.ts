import type { RunDetail, RunSummary, StepView } from '../api/schemas/run.ts';
import type { FlowState } from '../blueprint/advance.ts';
import type { Consumed } from '../domain/run.ts';
import { addWall } from '../engine/claim.ts';
import { limitsInUse } from '../engine/limits.ts';
import { attemptAtWork, countAttempts } from '../store/attempts.ts';
import type { Queries } from '../store/database.ts';
import { type ListedRun, listedRun } from '../store/listed-runs.ts';
import type { AttemptRow, RunRow, StepRow } from '../store/rows.ts';
import { stepsOf } from '../store/steps.ts';

/** A run as `ls` shows it. */
export function runSummary(run: ListedRun): RunSummary {
  const { used, allowed } = (run.flow as FlowState).steps;
  return {
    schema: 1,
    id: run.id,
    slug: run.slug,
    task: run.task,
    title: run.title,
    repository: run.repository_path,
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
    ...(run.merged === null
      ? {}
      : { merged: { commit: run.merged.commit, tree: run.merged.tree, target: run.merged.target } }),
    ...(run.forked_from === null ? {} : { forkedFrom: run.forked_from }),
    limits: limitsInUse(run, { used, allowed }),
    usage: run.consumed.usage,
    sandbox: run.settings.sandbox,
    at: run.step === null ? null : { node: run.step.node, n: run.step.n, state: run.step.state },
  };
}

/** A run as `show` shows it, with its steps in order, and what it has used until `now`, in milliseconds since 1970. */
export async function runDetail(queries: Queries, run: Pick<RunRow, 'id'>, now: number): Promise<RunDetail> {
  // The run before its steps: a state that it has reached must not be shown with steps from before that.
  const listed = await listedRun(queries, run.id);
  const [steps, attempts, atWork] = await Promise.all([
    stepsOf(queries, run.id),
    countAttempts(queries, run.id),
    attemptAtWork(queries, run.id),
  ]);
  const { promises, network = [], resources = {} } = listed.settings;
  return {
    ...runSummary({ ...listed, consumed: consumedUntil(now, listed, atWork) }),
    steps: steps.map((step) => stepView(step, attempts.get(step.id) ?? 0)),
    ...(promises === undefined ? {} : { walls: { ...promises, network, resources } }),
    ...(listed.exposed.length === 0 ? {} : { exposed: [...listed.exposed] }),
  };
}

/** What the run has used, with the time of the attempt that is at work, which is counted at its end. */
export function consumedUntil(
  now: number,
  { consumed }: Pick<RunRow, 'consumed'>,
  atWork: Pick<AttemptRow, 'started_at'> | undefined,
): Consumed {
  return atWork === undefined ? consumed : addWall(consumed, now - atWork.started_at.getTime());
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
    ...(step.copied ? { copied: true } : {}),
    ...(step.follow_up ? { followUp: true } : {}),
  };
}
