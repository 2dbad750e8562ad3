import { currentNode, type FlowState } from '../blueprint/advance.ts';
import type { RunRow, StepRow } from '../store/rows.ts';

/** A node, and the number of the step that was made of it, where the run came to make one. */
export interface Place {
  readonly node: string;
  readonly n?: number;
}

/** Where a run stands, given its latest step: at that, or at a node that it did not enter because a bound stood against it. */
export function placeOf(
  { blueprint, flow, state }: Pick<RunRow, 'blueprint' | 'flow' | 'state'>,
  latest: Pick<StepRow, 'node' | 'n' | 'aside'> | undefined,
): Place | undefined {
  const flowed = flow as FlowState;
  const parked = state.kind === 'parked' && flowed.at.kind === 'parked' ? currentNode(blueprint, flowed) : undefined;
  if (parked === undefined || latest?.aside === true || latest?.node === parked.path) return latest;
  return { node: parked.path };
}
