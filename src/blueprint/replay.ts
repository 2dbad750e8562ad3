import type { Blueprint } from '../domain/blueprint.ts';
import { advance, begin, halt, reenter } from './advance.ts';
import type { FlowState, StepRef } from './flow.ts';

/** A step that a run has behind it. */
export interface PastStep extends StepRef {
  readonly outcome: string;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly detail?: string | undefined;
  /** Entered for new work, which a person had. */
  readonly newRound?: boolean | undefined;
  /**
   * What its end did: the run went on by its outcome; it was halted at it by a bound of its own; or neither, because a person
   * stopped the run or had it go on elsewhere.
   */
  readonly ending: 'advanced' | 'halted' | 'left';
}

/**
 * The state of a run after these steps, which are its first ones in order and all of them. Where the way does not lead to the next of
 * them by itself, a person has had it entered again. Pure.
 */
export function replay(
  blueprint: Blueprint,
  start: { readonly inputs: Readonly<Record<string, unknown>>; readonly steps: number },
  past: readonly PastStep[],
): FlowState {
  let { state } = begin(blueprint, start.inputs, { steps: start.steps });
  let isThere = true;
  for (const step of past) {
    isThere &&= state.at.kind === 'step' && state.at.step.node === step.node;
    if (!isThere) ({ state } = reenter(blueprint, state, step.node, { newRound: step.newRound === true }));
    state = ended(blueprint, numbered(state, step), step);
    isThere = step.ending !== 'left';
  }
  return state;
}

function ended(blueprint: Blueprint, state: FlowState, step: PastStep): FlowState {
  const { outcome, outputs, detail, ending } = step;
  if (ending === 'left') return state;
  if (ending === 'halted') return halt(state, { outcome, detail: detail ?? '' });
  return advance(blueprint, state, { outcome, outputs, detail }).state;
}

/** Steps outside of the blueprint may have taken numbers of a node meanwhile. */
function numbered(state: FlowState, { node, n }: PastStep): FlowState {
  if (state.at.kind !== 'step' || state.at.step.n === n) return state;
  return { ...state, at: { kind: 'step', step: { node, n } }, counts: { ...state.counts, [node]: n } };
}
