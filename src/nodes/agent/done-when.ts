import { noProgress } from '../../checks/no-progress.ts';
import { joinReports } from '../../checks/report.ts';
import { selectChecks } from '../../checks/select.ts';
import { verify } from '../../checks/verify.ts';
import { lostSessionPrompt, redChecksPrompt } from './prompt.ts';
import type { AgentFields } from './schema.ts';
import { hasChanged, takeIn } from './take-in.ts';
import { type Conversation, type Saying, sessionAfter, type Turns } from './turns.ts';

/** What the checks of `done-when` say of the work. */
export type Checked = { readonly report: string; readonly head: string } & (
  | { readonly kind: 'green' | 'red' }
  /** Some could not run at all, which says nothing about the work. */
  | { readonly kind: 'broken'; readonly names: string }
  /** Red as before, in spite of the rounds. */
  | { readonly kind: 'no-progress'; readonly why: string }
  /** Red, and no round is left. */
  | { readonly kind: 'spent'; readonly names: string; readonly rounds: number }
);

/** The agent says that it has finished, but the checks of `done-when` do not: it is told what they said, in its session. */
export async function untilChecksPass(conversation: Conversation, turns: Turns): Promise<Saying | undefined> {
  const { context, agent, workspace } = conversation;
  const last = turns.at(-1) ?? turns[0];
  const wanted = (context.step.fields as AgentFields)['done-when'];
  if (wanted === undefined || last.report.result.kind !== 'done') return undefined;
  await takeIn(conversation, true);
  if (!hasChanged(conversation)) return undefined;
  const { checks } = selectChecks(wanted.checks, context.checks);
  if (checks.length === 0) {
    const named = wanted.checks.join(', ');
    await context.say('warning', `Nothing was checked: the repository declares no check for ${named} (done-when).`);
    return undefined;
  }
  const results = await verify({ context, workspace, checks });
  const said = { report: joinReports(results), head: workspace.head };
  const open = results.filter(({ verdict }) => verdict === 'fail' || verdict === 'timeout');
  const names = (open.length > 0 ? open : results.filter(({ verdict }) => verdict === 'error'))
    .map(({ name }) => name)
    .join(', ');
  if (open.length === 0) {
    last.checked = names === '' ? { kind: 'green', ...said } : { kind: 'broken', names, ...said };
    return undefined;
  }
  const rounds = turns.filter(({ saying }) => saying.why === 'checks').length;
  const why = turns.some(({ checked }) => checked?.head === workspace.head)
    ? `${names} failed again on the very same commit ${workspace.head.slice(0, 10)}: told of it, the agent has changed nothing`
    : noProgress(await context.verdicts(), { commit: workspace.head, repeats: context.limits.repeats });
  if (why !== undefined || rounds >= wanted.max) {
    last.checked =
      why === undefined ? { kind: 'spent', names, rounds, ...said } : { kind: 'no-progress', why, ...said };
    return undefined;
  }
  last.checked = { kind: 'red', ...said };
  await context.say(
    'info',
    `${names} failed after ${agent.name} had finished; it is told (round ${rounds + 1} of ${wanted.max}).`,
  );
  const session = sessionAfter(last);
  const prompt = redChecksPrompt(said.report);
  return session === undefined
    ? { why: 'checks', prompt: lostSessionPrompt(prompt, await taskSoFar(conversation)), session: { kind: 'new' } }
    : { why: 'checks', prompt, session: { kind: 'resume', id: session } };
}

/** For an agent that remembers nothing. */
export async function taskSoFar({ context }: Conversation): Promise<string> {
  return `${context.task.title}\n\n${context.task.body}\n\n${await context.summary()}`.trim();
}
