import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentEvent, AgentTurn } from '../../ports/agent.ts';
import { type AgentSession, StepAborted, type StepContext, type StepResult } from '../../ports/node.ts';
import type { Workspace } from '../../ports/workspace.ts';
import { driveTurn } from './drive.ts';
import { interruptedPrompt, lostSessionPrompt, promptOf } from './prompt.ts';
import type { AgentFields } from './schema.ts';
import { tellEvent } from './tell.ts';
import type { TurnReport } from './turn.ts';

/** One turn of the node's agent; everything that it leaves in the workspace is taken in, however the turn ended. */
export async function execute(context: StepContext): Promise<StepResult> {
  const fields = context.step.fields as AgentFields;
  const plan = await planTurn(context, fields);
  const workspace = await context.workspace();
  const before = workspace.head;
  const home = join(workspace.homes, plan.agent.name);
  await mkdir(home, { recursive: true, mode: 0o700 });

  let report = await drive(context, turnOf(context, plan, { workspace, home }), plan.agent);
  if (
    report.result.kind === 'failed' &&
    report.result.failure.class === 'unknown-session' &&
    plan.session.kind !== 'new'
  ) {
    await context.say(
      'warning',
      `${plan.agent.name} no longer knows its session; a new one was begun with a summary of what was done.`,
    );
    const fresh = {
      ...plan,
      session: { kind: 'new' } as const,
      prompt: lostSessionPrompt(plan.prompt, await context.summary()),
    };
    report = await drive(context, turnOf(context, fresh, { workspace, home }), plan.agent);
  }
  const why = context.signal.reason instanceof StepAborted ? context.signal.reason.why : undefined;
  if (context.signal.aborted && (why === 'lost' || why === 'shutdown')) throw context.signal.reason;

  if (context.limits.cost !== undefined && report.usage.cost === null) {
    const { max } = context.limits.cost;
    await context.sayOnce(
      'cost-unknown',
      `The cost limit of ${max} USD is not in force: ${plan.agent.name} reports no price.`,
    );
  }
  const finished = report.result.kind === 'done';
  const collected = await workspace.collect(context.commitText(commitMessage(context, finished)));
  for (const note of collected.notes) await context.say('warning', note);
  if (context.signal.aborted) throw context.signal.reason;
  return resultOf(report, collected.head !== before, context);
}

interface Plan {
  readonly agent: ReturnType<StepContext['agents']['resolve']>;
  readonly session: AgentTurn['session'];
  readonly prompt: string;
}

/** Which agent, which session, and what it is told. */
async function planTurn(context: StepContext, fields: AgentFields): Promise<Plan> {
  const interrupted = await context.agents.interrupted();
  const [mode, node] = (fields.session ?? 'new').split(' ');
  const earlier = node === undefined ? undefined : await context.agents.session(sibling(context, node));
  const name = fields.agent === 'same' ? (earlier?.agent ?? 'default') : fields.agent;
  const agent = context.agents.resolve(name);
  const session = sessionOf(mode, earlier, agent.name);
  const { text: prompt, notes } = promptOf(context, fields, session.kind !== 'new');
  for (const note of notes) await context.say('warning', note);
  if (interrupted !== undefined && interrupted.agent === agent.name) {
    return { agent, session: { kind: 'resume', id: interrupted.id }, prompt: interruptedPrompt(prompt) };
  }
  return { agent, session, prompt };
}

function sessionOf(mode: string | undefined, earlier: AgentSession | undefined, agent: string): AgentTurn['session'] {
  if (earlier === undefined || earlier.agent !== agent || (mode !== 'resume' && mode !== 'fork'))
    return { kind: 'new' };
  return { kind: mode, id: earlier.id };
}

/** The path of a node beside this one: within a blueprint that a node entered, nodes are named `outer/inner`. */
function sibling(context: StepContext, node: string): string {
  return [...context.step.node.split('/').slice(0, -1), node].join('/');
}

function turnOf(
  context: StepContext,
  plan: Plan,
  { workspace, home }: { workspace: Workspace; home: string },
): AgentTurn {
  return {
    entry: plan.agent.entry,
    prompt: plan.prompt,
    folder: workspace.folder,
    home,
    session: plan.session,
    run: context.run.id,
    node: context.step.node,
    step: context.step.n,
    hostEnv: context.agents.hostEnv,
  };
}

async function drive(context: StepContext, turn: AgentTurn, agent: Plan['agent']): Promise<TurnReport> {
  return driveTurn({
    adapter: agent.adapter,
    turn,
    sandbox: context.sandbox,
    limits: {
      silenceMs: context.limits.silenceMs,
      turns: context.limits.turns,
      tokens: context.limits.tokens,
      cost: context.limits.cost,
    },
    clock: context.clock,
    signal: context.signal,
    crashPoint: context.crashPoint,
    onEvent: (event: AgentEvent) => tellEvent(context, agent.name, event),
  });
}

function commitMessage({ task, step }: StepContext, finished: boolean): string {
  const which = step.n === 1 && !step.node.includes('fix') ? '' : ` (${step.node})`;
  return `${task.title}${which}${finished ? '' : ' (unfinished)'}`;
}

function resultOf({ result, text }: TurnReport, changed: boolean, context: StepContext): StepResult {
  const outputs = { summary: text };
  switch (result.kind) {
    case 'done':
      return changed
        ? { kind: 'outcome', outcome: 'done', outputs }
        : {
            kind: 'outcome',
            outcome: 'unchanged',
            outputs,
            detail: 'The agent said that it had finished, but nothing has changed.',
          };
    case 'failed': {
      const { class: failureClass, message, hint } = result.failure;
      return {
        kind: 'outcome',
        outcome: 'error',
        outputs,
        detail: sentences(message, hint),
        park: { code: `agent/${failureClass}`, needs: 'error' },
      };
    }
    case 'stalled':
      return {
        kind: 'outcome',
        outcome: 'stalled',
        outputs,
        detail: `The agent said nothing for ${Math.round(result.silentMs / 1000)} s while no tool was running (limit silence).`,
        park: { code: 'limit/silence', needs: 'limit' },
      };
    case 'timeout':
      return { kind: 'outcome', outcome: 'timeout', outputs, detail: 'The agent did not end in time.' };
    case 'limit': {
      const { limit, used, max } = result;
      return { kind: 'limit', limit, used, max, text: `The agents of this run have used ${used} of ${max} ${limit}.` };
    }
    case 'cancelled':
      throw context.signal.reason;
  }
}

/** Both, each with its full stop. */
function sentences(...parts: readonly string[]): string {
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => (/[.!?…:]$/.test(part) ? part : `${part}.`))
    .join(' ');
}
