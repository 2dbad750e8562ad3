import { messageOf, SwitchyardError } from '../lib/error.ts';
import { StepAborted, type StepResult } from '../ports/node.ts';
import type { Breach } from '../ports/sandbox.ts';
import type { Workspace } from '../ports/workspace.ts';
import { agentOf } from '../store/attempts.ts';
import { enduring } from '../store/enduring.ts';
import { getRepository } from '../store/repositories.ts';
import { salvageRef } from '../workspaces/git-store.ts';
import { breachText } from './breach-text.ts';
import { attemptsBound, type Claim } from './claim.ts';
import { noteOnCommitted } from './committed-secrets.ts';
import { nodeOf } from './context.ts';
import type { Engine } from './engine.ts';
import { type EquipmentParts, equip } from './equipment.ts';
import { giveUp } from './give-up.ts';
import type { Host } from './host.ts';
import { Journal } from './journal.ts';
import { limitsOf, stepLimits, wallText } from './limits.ts';
import { settle } from './settle.ts';

/** How often work that no step's end has taken in is saved. */
const CHECKPOINT_MS = 5 * 60_000;
/** Timers cannot be set for longer. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Works on a claimed step until its result is in the database, its lease is lost, or `stop` aborts with a StepAborted. Returns the claim
 * on the run's next step where that was let in for this worker and `mayGoOn` says that it begins anything. While the database is away it
 * waits. Never rejects for what a step does: that is the outcome `error`. A rejection means that the result could
 * not be stored.
 *
 * - `shutdown`: saves a checkpoint and gives the job back, so that another attempt goes on.
 * - `lost`: changes nothing of the run any more; its commits are kept aside.
 */
export async function runAttempt(
  shared: Engine,
  host: Host,
  claimed: Claim,
  { stop, mayGoOn }: { stop: AbortSignal; mayGoOn: () => boolean },
): Promise<Claim | undefined> {
  const engine = patient(shared, stop);
  const scope = new AbortController();
  const forward = () => scope.abort(stop.reason);
  stop.addEventListener('abort', forward, { once: true });
  if (stop.aborted) forward();
  const over = new AbortController();
  await using journal = new Journal(engine, claimed, { kind: 'system', name: host.worker });
  try {
    // Where the blueprint lacks the node, the step itself ends in an error that says so.
    void stopAtWall({ engine, claimed, scope, over: over.signal }).catch(() => undefined);
    const mayBegin = () => !stop.aborted && mayGoOn();
    return await work({ engine, host, claimed, journal, scope, over: over.signal, mayBegin });
  } finally {
    over.abort();
    stop.removeEventListener('abort', forward);
  }
}

/**
 * The engine with a database that lets an attempt wait for it, however long it is away, rather than fail. What the machine's owner may
 * change meanwhile is asked of the engine each time.
 */
function patient(engine: Engine, stop: AbortSignal): Engine {
  return {
    ...engine,
    database: enduring(engine.database, stop),
    get limits() {
      return engine.limits;
    },
    get budgets() {
      return engine.budgets;
    },
  };
}

interface Working {
  readonly engine: Engine;
  readonly host: Host;
  readonly claimed: Claim;
  readonly journal: Journal;
  readonly scope: AbortController;
  /** Aborts when the attempt has come to its end. */
  readonly over: AbortSignal;
  /** Whether the worker goes on with the run's next step. */
  readonly mayBegin: () => boolean;
}

async function work(working: Working): Promise<Claim | undefined> {
  const { claimed, journal, scope, engine } = working;
  let workspace: Workspace | undefined;
  let breach: Breach | undefined;
  let serviceEnded: SwitchyardError | undefined;
  await using over = new AsyncDisposableStack();
  const executing = new AbortController();
  const saving = saveNowAndThen(working, executing.signal, () => workspace);
  const executed = await execute(working, {
    onOpened: (opened) => {
      workspace = opened;
    },
    save: () => save(working, workspace).catch((error: unknown) => unsaved(working, error)),
    onBreach: (first) => {
      breach ??= first;
    },
    onServiceEnded: (first) => {
      serviceEnded ??= first;
    },
    over,
  });
  const why = stoppedBy(scope);
  executing.abort();
  await saving;
  // The run's services end before its next step, or a person, can start them again.
  await over.disposeAsync();
  const head = workspace?.head ?? claimed.run.head;
  if (why === 'lost') {
    await salvage(working, head);
    return undefined;
  }
  if (why === 'shutdown') {
    await save(working, workspace).catch((error: unknown) => unsaved(working, error));
    await journal.flush();
    await giveUp(engine, claimed, { result: 'interrupted' });
    return undefined;
  }
  const result =
    whenStopped(working, why) ??
    (breach === undefined ? undefined : whenBreached(breach)) ??
    // What was done without a service that it needs says little, too.
    (serviceEnded === undefined ? executed : failure(serviceEnded));
  const kept = await keepSession(working, workspace);
  await tellOfSecrets(working, head);

  await journal.flush();
  const delivered = result.kind === 'outcome' ? result.outputs?.['delivered'] : undefined;
  const settled = await settle(engine, claimed, {
    result,
    head,
    delivered: typeof delivered === 'string' ? delivered : undefined,
    kept,
    opened: workspace !== undefined,
    worker: working.host.worker,
    mayBegin: working.mayBegin,
  });
  if (settled === undefined) await salvage(working, head);
  return settled?.next;
}

/** What the step makes of it; what it throws is the outcome `error`. */
async function execute(
  working: Working,
  asks: Pick<EquipmentParts, 'onOpened' | 'save' | 'onBreach' | 'onServiceEnded' | 'over'>,
): Promise<StepResult> {
  const { claimed, scope } = working;
  try {
    if (scope.signal.aborted) throw scope.signal.reason;
    const bound = attemptsBound(claimed);
    if (bound !== undefined) return hopeless(claimed, bound);
    const { kind, context } = await equip({ ...working, ...asks, signal: scope.signal });
    if (scope.signal.aborted) throw scope.signal.reason;
    return await kind.execute(context);
  } catch (error) {
    if (scope.signal.aborted) return { kind: 'outcome', outcome: 'error', detail: 'The step was stopped.' };
    return failure(error);
  }
}

/** A bound that ended the step counts for more than what the step made of being ended. */
function whenStopped({ engine, claimed }: Working, why: StepAborted['why'] | undefined): StepResult | undefined {
  const { run, startedAt } = claimed;
  if (why === 'timeout') {
    return { kind: 'outcome', outcome: 'timeout', detail: 'The step took longer than its own limit (wall).' };
  }
  if (why !== 'wall') return undefined;
  const used = run.consumed.wall + engine.clock.now() - startedAt.getTime();
  return { kind: 'limit', limit: 'wall', used, max: limitsOf(run).wall, text: wallText(run) };
}

/** What a program that ran into such a limit has made says little: a person decides whether it gets more. */
function whenBreached({ limit, max, used = max }: Breach): StepResult {
  return { kind: 'limit', limit, used, max, text: breachText({ limit, max }) };
}

/** Parks whatever the edges say: the step's own outcome is not known, and trying once more would hardly help. */
function hopeless({ step }: Claim, { used, max }: { used: number; max: number }): StepResult {
  const text = `${used} attempts of ${step.node} #${step.n} ended without a result: their worker died, or could not store it. See daemon.log.`;
  return { kind: 'limit', limit: 'attempts', used, max, text };
}

function failure(error: unknown): StepResult {
  const message = messageOf(error).replace(/([^.!?:])$/, '$1.');
  const hint = error instanceof SwitchyardError ? ` ${error.hint}` : '';
  const code = error instanceof SwitchyardError ? error.code : 'step/error';
  return { kind: 'outcome', outcome: 'error', detail: `${message}${hint}`, park: { code, needs: 'error' } };
}

function stoppedBy({ signal }: AbortController): StepAborted['why'] | undefined {
  if (!signal.aborted) return undefined;
  return signal.reason instanceof StepAborted ? signal.reason.why : 'shutdown';
}

interface Wall extends Pick<Working, 'engine' | 'claimed' | 'scope' | 'over'> {}

/** Stops the step when the run's wall time, or the node's own, is over. */
async function stopAtWall({ engine, claimed, scope, over }: Wall): Promise<void> {
  const { wallMs, stepWallMs } = stepLimits(claimed.run, claimed.step.aside ? undefined : nodeOf(claimed).node);
  const isOwn = stepWallMs !== undefined && stepWallMs < wallMs;
  await engine.clock.sleep(Math.min(isOwn ? stepWallMs : wallMs, LONGEST_MS), over);
  if (!over.aborted) scope.abort(new StepAborted(isOwn ? 'timeout' : 'wall'));
}

/** Resolves, once the signal aborts, when nothing is being saved any more. */
async function saveNowAndThen(
  working: Working,
  signal: AbortSignal,
  workspace: () => Workspace | undefined,
): Promise<void> {
  while (!signal.aborted) {
    await working.engine.clock.sleep(CHECKPOINT_MS, signal);
    if (signal.aborted || stoppedBy(working.scope) === 'lost') return;
    await save(working, workspace()).catch((error: unknown) => unsaved(working, error));
  }
}

/** Saves uncollected work and tells the database where it is. */
async function save({ engine, claimed }: Working, workspace: Workspace | undefined): Promise<void> {
  if (workspace === undefined) return;
  const commit = await workspace.checkpoint();
  await engine.database.query('update step set checkpoint = $3 where id = $1 and lease = $2', [
    claimed.step.id,
    claimed.attempt,
    commit,
  ]);
}

/** A checkpoint at the end of an agent's step, so that its session can be gone on with wherever the run goes on, or forked from here. */
async function keepSession(working: Working, workspace: Workspace | undefined): Promise<string | null> {
  const { engine, host, claimed } = working;
  if (workspace === undefined || !claimed.step.agentic) return null;
  const agent = await agentOf(engine.database, { step: claimed.step.id, n: claimed.attempt });
  const hasFiles = host.agents.sessionFiles.some((one) => one.agent === agent && one.globs.length > 0);
  if (!hasFiles && claimed.run.settings.carry.length === 0) return null;
  try {
    return await workspace.checkpoint();
  } catch (error) {
    await unsaved(working, error);
    return null;
  }
}

/** Says so where the step has committed what nobody may read. */
async function tellOfSecrets({ engine, host, claimed, journal }: Working, head: string): Promise<void> {
  // A delivery brings other people's commits.
  if (head === claimed.run.head || claimed.step.kind === 'deliver' || !engine.redact.isNeeded()) return;
  const { node, n } = claimed.step;
  const store = await host.openStore(await getRepository(engine.database, claimed.run.repository));
  const range = { from: claimed.run.head, to: head };
  const text = await noteOnCommitted({ store: store.path, redact: engine.redact }, range).catch(
    (error: unknown) => `It could not be found out whether commits of this step hold secrets: ${messageOf(error)}`,
  );
  if (text !== undefined) await journal.add({ kind: 'message', level: 'warning', text, node, n });
}

async function unsaved({ journal, claimed }: Working, error: unknown): Promise<void> {
  const { node, n } = claimed.step;
  const text = `The uncollected work could not be saved: ${messageOf(error)}`;
  await journal.add({ kind: 'message', level: 'warning', text, node, n });
}

/** What an attempt that lost its lease has made is kept, where nobody takes it for the run's work. */
async function salvage({ engine, host, claimed }: Working, head: string): Promise<void> {
  if (head === claimed.run.head) return;
  const store = await host.openStore(await getRepository(engine.database, claimed.run.repository));
  await store.keep(salvageRef(claimed.run.id, `${claimed.step.id}-${claimed.attempt}`), head);
}
