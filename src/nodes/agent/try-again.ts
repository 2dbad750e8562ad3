import { PARK } from '../../domain/blueprint.ts';
import { formatDuration } from '../../domain/units.ts';
import { printableLine } from '../../lib/printable.ts';
import type { AgentFailure } from '../../ports/agent.ts';
import type { StepContext } from '../../ports/node.ts';
import { cutOffPrompt } from './prompt.ts';
import { inWords, type Retry, retryOf } from './retry.ts';
import { askedLast, type Conversation, type Saying, sessionAfter, type Turn, type Turns } from './turns.ts';

/** The turn failed for a reason that may pass: after a pause it is tried again, in its session. */
export async function afterFailure({ context, agent }: Conversation, turns: Turns): Promise<Saying | undefined> {
  const failed = failureOf(turns.at(-1));
  if (failed === undefined) return undefined;
  const retry = retryOfLast(turns);
  if (retry?.kind !== 'again') return undefined;
  const { pauseMs, nextTry, of } = retry;
  const message = printableLine(failed.message).replace(`${agent.name}: `, '').slice(0, 300);
  const when = pauseMs < 1000 ? 'at once' : `in ${formatDuration(Math.ceil(pauseMs / 1000) * 1000)}`;
  await context.say(
    'warning',
    `${agent.name}: ${inWords(failed)} (${message}); trying again ${when} (${nextTry} of ${of})`,
  );
  await context.clock.sleep(pauseMs, context.signal);
  return again(turns, 'failure');
}

/** What is done about the last turn's failure; undefined when it did not fail. */
export function retryOfLast(turns: Turns): Retry | undefined {
  const failed = failureOf(turns.at(-1));
  return failed === undefined ? undefined : retryOf(failed, failedInARow(turns));
}

/** The agent fell silent: its session is taken up once more, unless the blueprint itself says what then. */
export async function afterSilence({ context, agent }: Conversation, turns: Turns): Promise<Saying | undefined> {
  const last = turns.at(-1) ?? turns[0];
  const { result } = last.report;
  const wasBefore = turns.some(({ saying }) => saying.why === 'silence');
  if (result.kind !== 'stalled' || wasBefore || sessionAfter(last) === undefined) return undefined;
  if (!leadsToPark(context, 'stalled')) return undefined;
  const silence = formatDuration(Math.round(result.silentMs / 1000) * 1000);
  await context.say('warning', `${agent.name}: silent for ${silence}; it was stopped and goes on once more (2 of 2)`);
  return again(turns, 'silence');
}

function again(turns: Turns, why: 'failure' | 'silence'): Saying {
  const asked = askedLast(turns);
  const session = sessionAfter(turns.at(-1) ?? turns[0]);
  if (session === undefined) return { ...asked, why };
  return { why, prompt: cutOffPrompt(asked.prompt, why), session: { kind: 'resume', id: session } };
}

function failureOf(turn: Turn | undefined): AgentFailure | undefined {
  const result = turn?.report.result;
  return result?.kind === 'failed' ? result.failure : undefined;
}

/** How many of the last turns failed in a row; with one that came to use a tool, the count begins again. */
function failedInARow(turns: Turns): number {
  const well = turns.findLastIndex((turn) => failureOf(turn) === undefined);
  const worked = turns.findLastIndex(({ report }) => report.turns > 0);
  return turns.length - Math.max(well + 1, worked);
}

function leadsToPark({ blueprint, step }: StepContext, outcome: string): boolean {
  const name = step.node.split('/').at(-1) ?? step.node;
  return (blueprint.nodes[name]?.on[outcome] ?? PARK) === PARK;
}
