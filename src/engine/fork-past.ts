import type { FlowState } from '../blueprint/advance.ts';
import { type PastStep, replay } from '../blueprint/replay.ts';
import type { NodeKind } from '../ports/node.ts';
import type { RunRow, StepRow } from '../store/rows.ts';
import { PASSED_OVER } from './go-on.ts';

type Kinds = ReadonlyMap<string, NodeKind>;

/** Where a run was in its blueprint after the last of these steps, which are its first ones, in order, without those outside of it. */
export function flowAfter(run: Pick<RunRow, 'blueprint' | 'flow'>, steps: readonly StepRow[], kinds: Kinds): FlowState {
  const { frames, steps: limit } = run.flow as FlowState;
  const start = { inputs: frames[0]?.inputs ?? {}, steps: limit.limit };
  return replay(
    run.blueprint,
    start,
    steps.map((step, index) => pastStep(step, isLeftByFork(step, steps[index + 1]) ? 'left' : endingOf(step, kinds))),
  );
}

/** The same, for somebody who has its last step gone on with in place of what came of it. */
export function flowAt(run: Pick<RunRow, 'blueprint' | 'flow'>, steps: readonly StepRow[], kinds: Kinds): FlowState {
  return flowAfter(run, [...steps.slice(0, -1), ...steps.slice(-1).map(stopped)], kinds);
}

const stopped = (step: StepRow): StepRow => ({ ...step, outcome: PASSED_OVER, outputs: {} });

/** A fork that began with a prompt has not come to what followed from the step. */
function isLeftByFork(step: StepRow, next: StepRow | undefined): boolean {
  return step.copied && next !== undefined && !next.copied && next.follow_up;
}

function pastStep(step: StepRow, ending: PastStep['ending']): PastStep {
  const { node, n, follow_up: newRound } = step;
  return {
    node,
    n,
    outcome: step.outcome ?? '',
    outputs: step.outputs ?? {},
    detail: step.detail ?? undefined,
    newRound,
    ending,
  };
}

/** What the end of a step did to its run. */
export function endingOf(step: StepRow, kinds: Kinds): PastStep['ending'] {
  // Whoever is asked has answered, or the run went on without that.
  if (kinds.get(step.kind)?.mode === 'wait')
    return step.outputs !== null && 'choice' in step.outputs ? 'advanced' : 'left';
  if (step.outcome === 'limit') return 'halted';
  return step.outcome === 'cancelled' || step.outcome === PASSED_OVER ? 'left' : 'advanced';
}
