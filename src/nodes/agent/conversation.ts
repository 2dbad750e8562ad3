import type { AgentEvent, AgentTurn } from '../../ports/agent.ts';
import { StepAborted, type StepContext } from '../../ports/node.ts';
import { driveTurn } from './drive.ts';
import { nextTurn } from './next-turn.ts';
import { hasHeard } from './persons.ts';
import { ProgressWatch } from './progress-watch.ts';
import { tellEvent } from './tell.ts';
import type { TurnLimits, TurnReport } from './turn.ts';
import type { Conversation, Saying, Turn, Turns } from './turns.ts';
import { workspaceState } from './workspace-state.ts';

/**
 * Turn after turn until nothing more is to be said to the agent. Rejects with the signal's reason when the step is another attempt's
 * from then on: nothing may be touched any more.
 */
export async function converse(conversation: Conversation, first: Saying): Promise<Turns> {
  const { context, workspace } = conversation;
  const progress = new ProgressWatch({
    repeats: context.limits.repeats,
    now: () => context.clock.now(),
    state: () => workspaceState(workspace, context.run.head),
  });
  const turns: [Turn, ...Turn[]] = [await take(conversation, { saying: first, earlier: [], progress })];
  for (;;) {
    const saying = await nextTurn(conversation, turns);
    stopIfOver(context.signal);
    if (saying === undefined) return turns;
    await context.save();
    turns.push(await take(conversation, { saying, earlier: turns, progress }));
  }
}

interface Taking {
  readonly saying: Saying;
  readonly earlier: readonly Turn[];
  readonly progress: ProgressWatch;
}

async function take(conversation: Conversation, { saying, earlier, progress }: Taking): Promise<Turn> {
  const { context, agent, workspace, home } = conversation;
  const sandbox = context.agents.sandbox(agent.name);
  const model = await context.agents.model(agent.name);
  const { login } = agent.entry;
  if (login !== undefined) {
    await context.recordExposed({ agent: agent.name, login });
    await context.sayOnce(`exposed ${agent.name}`, exposedText(agent));
  }
  const turn: AgentTurn = {
    entry: model?.entry ?? agent.entry,
    prompt: saying.prompt,
    folder: workspace.folder,
    home,
    inside: { folder: sandbox.inside(workspace.folder), home: sandbox.inside(home) },
    hasOwnPrograms: sandbox.hasOwnPrograms ?? false,
    session: saying.session,
    run: context.run.id,
    node: context.step.node,
    step: context.step.n,
    hostEnv: { ...context.agents.hostEnv, ...model?.env },
  };
  const interrupting = interruptible(context);
  using _ = interrupting;
  const report = await driveTurn({
    adapter: agent.adapter,
    turn,
    sandbox,
    limits: limitsAfter(context, earlier),
    meter: model?.meter,
    progress,
    clock: context.clock,
    signal: interrupting.signal,
    redact: context.redact,
    crashPoint: context.crashPoint,
    onSpawned: () => conversation.onEnding?.(),
    onEnding: () => conversation.onEnding?.(),
    onEvent: (event: AgentEvent) =>
      tellEvent(context, { agent: agent.name, goesOnFor: saying.goesOnFor, meter: model?.meter }, event),
  });
  stopIfOver(context.signal);
  if (hasHeard({ saying, report })) await context.messages.heard();
  return { saying, report };
}

function exposedText({ name, entry }: Conversation['agent']): string {
  return `${name} signs in with ${entry.login}, which is exposed: whatever runs in its sandbox can read it, and what it uses is what it reports itself.`;
}

/** The signal of one turn: of its step's, and of what a person says that cannot wait for the turn's end. */
function interruptible({ signal, messages }: StepContext): Disposable & { readonly signal: AbortSignal } {
  const stop = new AbortController();
  const over = new AbortController();
  const forward = () => stop.abort(signal.reason);
  signal.addEventListener('abort', forward, { once: true });
  if (signal.aborted) forward();
  void messages.urgent(over.signal).then((isUrgent) => (isUrgent ? stop.abort() : undefined));
  return {
    signal: stop.signal,
    [Symbol.dispose]: () => {
      over.abort();
      signal.removeEventListener('abort', forward);
    },
  };
}

function stopIfOver(signal: AbortSignal): void {
  const why = signal.reason instanceof StepAborted ? signal.reason.why : undefined;
  if (signal.aborted && (why === 'lost' || why === 'shutdown')) throw signal.reason;
}

/** What the step's earlier turns have used counts for those that follow. */
function limitsAfter({ limits }: StepContext, earlier: readonly Turn[]): TurnLimits {
  const used = (of: (report: TurnReport) => number) => earlier.reduce((sum, { report }) => sum + of(report), 0);
  const { turns, tokens, cost, silenceMs } = limits;
  return {
    silenceMs,
    turns: { ...turns, used: turns.used + used((report) => report.turns) },
    tokens: tokens && { ...tokens, used: tokens.used + used(({ usage }) => usage.input + usage.output) },
    cost: cost && { ...cost, used: cost.used + used(({ usage }) => usage.cost ?? 0) },
  };
}
