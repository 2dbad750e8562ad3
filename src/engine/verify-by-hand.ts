import { currentNode, type FlowState } from '../blueprint/advance.ts';
import type { RunState } from '../domain/run.ts';
import { stepsOf } from '../store/steps.ts';
import type { OpenRun } from './transition.ts';

type Parked = Extract<RunState, { kind: 'parked' }>;

/**
 * The check that has to look at what a person has changed before anybody works on it: the latest one that the run passed through within
 * the blueprint that it is parked in. Undefined where there is none, at an approval, and at a merge, which checks what it merges itself.
 */
export async function checkToVerify({ queries, row }: OpenRun, { needs }: Parked): Promise<string | undefined> {
  const flow = row.flow as FlowState;
  const frame = flow.frames.at(-1);
  const parked = currentNode(row.blueprint, flow);
  if (flow.at.kind !== 'parked' || needs.kind === 'approval' || frame === undefined || parked === undefined)
    return undefined;
  if (parked.node.fields['deliver'] === 'merge') return undefined;
  const inside = parked.path.slice(0, -parked.node.name.length);
  const steps = await stepsOf(queries, row.id);
  if (steps.at(-1)?.aside === true) return undefined;
  const checks = Object.keys(frame.outputs).filter((name) => parked.blueprint.nodes[name]?.kind === 'check');
  return steps.findLast(({ aside, node }) => !aside && checks.some((name) => node === inside + name))?.node;
}
