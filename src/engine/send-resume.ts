import { advance, currentNode, type FlowState } from '../blueprint/advance.ts';
import { SYSTEM } from '../domain/actor.ts';
import { UNIVERSAL_OUTCOMES } from '../domain/node-kind.ts';
import { giveMessages, markGiven, unclaimedMessages } from '../store/messages.ts';
import type { MessageRow, StepRow } from '../store/rows.ts';
import { latestAgentStep, openStep } from '../store/steps.ts';
import { apply } from './decide.ts';
import { goOnAt } from './go-on.ts';
import { delivered } from './send-delivery.ts';
import { isGiven } from './send-note.ts';
import { current, type OpenRun, record } from './transition.ts';

/** The answer of an approval that sends the work back. */
const CHANGES = 'changes';

/** What a run goes on for. Never empty. */
export type Wanted = readonly [Said, ...Said[]];
type Said = Pick<MessageRow, 'id' | 'text' | 'actor'>;

/**
 * Has a run that does nothing more by itself go on for messages that are stored: by `changes` where it waits for an approval that leads
 * to an agent by that, else at the node of its latest agent step. What was merged is what it goes on from, or `onto`, a later commit of
 * the target. Returns the step; undefined, and nothing is changed, when no agent has worked in the run.
 */
export async function goOnFor(run: OpenRun, wanted: Wanted, onto?: string): Promise<StepRow | undefined> {
  const [{ actor }] = wanted;
  const note = joined(wanted);
  if (await isSentBack(run)) {
    await apply(run, { choice: CHANGES, note, actor });
  } else {
    const last = await latestAgentStep(run.queries, run.row.id);
    if (last === undefined) return undefined;
    goOnFromMerged(run, onto);
    record(run, actor, { kind: 'run.resumed', choice: 'message', head: current(run).head, node: last.node });
    await goOnAt(run, { node: last.node, actor, followUp: true });
  }
  const step = await openStep(run.queries, run.row.id);
  if (step === undefined) throw new Error(`run ${run.row.id} goes on without a step`);
  await give(run, { wanted, note, step });
  return step;
}

/**
 * A run that has just stopped goes on for messages that came while no agent was at work. Not where a bound is used up or a step could
 * not be done: whoever sent them did not know of that. They are then told to the agent once a person has the run go on.
 */
export async function goOnForMessages(run: OpenRun): Promise<void> {
  const { state, flow } = current(run);
  if (state.kind !== 'parked' && state.kind !== 'succeeded' && state.kind !== 'failed') return;
  const [first, ...more] = await unclaimedMessages(run.queries, run.row.id);
  if (first === undefined) return;
  if (state.kind === 'parked' && (state.needs.kind === 'limit' || isUndone(flow as FlowState))) {
    const text = `What ${first.actor.name} said waits: the agent is told once the run goes on.`;
    return record(run, SYSTEM, { kind: 'message', level: 'info', text });
  }
  await goOnFor(run, [first, ...more]);
}

/** Whether the step that parked the run came to no outcome of its own. */
export function isUndone({ at }: FlowState): boolean {
  return at.kind === 'parked' && at.reason.kind === 'edge' && UNIVERSAL_OUTCOMES.includes(at.reason.outcome);
}

/** Whether the run waits for an approval whose `changes` leads to an agent. */
async function isSentBack(run: OpenRun): Promise<boolean> {
  const { state, blueprint, flow } = current(run);
  const at = currentNode(blueprint, flow as FlowState);
  if (state.kind !== 'parked' || at?.step === undefined || !at.node.outcomes.includes(CHANGES)) return false;
  const waiting = await openStep(run.queries, run.row.id);
  if (waiting?.node !== at.path) return false;
  const { transition } = advance(blueprint, flow as FlowState, { outcome: CHANGES });
  if (transition.kind !== 'step') return false;
  const kind = run.engine.kinds.get(transition.node.kind);
  return kind?.mode === 'execute' && kind.agentic;
}

/** What was merged is done: from here on the run is about what comes on top of it. */
function goOnFromMerged(run: OpenRun, onto: string | undefined): void {
  const { merged } = current(run);
  if (merged === null) return;
  const commit = onto ?? merged.commit;
  run.changes.head = commit;
  run.changes.base_commit = commit;
  run.changes.merged = null;
  const text = `What was done before is merged into ${merged.target}: the run goes on from ${commit.slice(0, 12)} there.`;
  record(run, SYSTEM, { kind: 'message', level: 'info', text });
}

async function give(
  run: OpenRun,
  { wanted, note, step }: { wanted: Wanted; note: string; step: StepRow },
): Promise<void> {
  const ids = wanted.map(({ id }) => id);
  await giveMessages(run.queries, ids, step.id);
  if (!isGiven(step, note)) return;
  await markGiven(run.queries, ids, new Date(run.engine.clock.now()));
  for (const said of wanted) record(run, SYSTEM, delivered(said, step));
}

/** Several are one, each with its author. */
function joined(wanted: Wanted): string {
  const [first, ...more] = wanted;
  if (more.length === 0) return first.text;
  return wanted.map(({ text, actor }) => `${actor.name}: ${text}`).join('\n\n');
}
