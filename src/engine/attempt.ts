import { SwitchyardError, messageOf } from '../lib/error.ts';
import { type NodeKind, StepAborted, type StepResult } from '../ports/node.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import type { Workspace } from '../ports/workspace.ts';
import { getRepository, getTask } from '../store/tasks.ts';
import { salvageRef } from '../workspaces/git-store.ts';
import { type Claim, isHopeless } from './claim.ts';
import { rememberingSandbox, nodeOf, stepContext } from './context.ts';
import type { Engine } from './engine.ts';
import type { Host } from './host.ts';
import { Journal } from './journal.ts';
import { stepLimits, wallText } from './limits.ts';
import { settle } from './settle.ts';
import { workspaceRequest } from './workspace-request.ts';

/** How often work that no step's end has taken in is saved. */
const CHECKPOINT_MS = 5 * 60_000;

/**
 * Works on a claimed step until its result is in the database, its lease is lost, or `stop` aborts with a StepAborted. Never
 * rejects for what a step does: that is the outcome `error`.
 *
 * - `shutdown`: saves a checkpoint and gives the job back, so that another attempt goes on.
 * - `lost`: changes nothing any more.
 */
export async function runAttempt(engine: Engine, host: Host, claimed: Claim, stop: AbortSignal): Promise<void> {
  await using journal = new Journal(engine, claimed, { kind: 'system', name: host.worker });
  const scope = new AbortController();
  const forward = () => scope.abort(stop.reason);
  if (stop.aborted) forward();
  else stop.addEventListener('abort', forward, { once: true });
  using _walls = wallTimer(claimed, scope);
  try {
    await work({ engine, host, claimed, journal, scope });
  } finally {
    stop.removeEventListener('abort', forward);
  }
}

interface Working {
  readonly engine: Engine;
  readonly host: Host;
  readonly claimed: Claim;
  readonly journal: Journal;
  readonly scope: AbortController;
}

async function work(working: Working): Promise<void> {
  const { engine, claimed, journal, scope } = working;
  let opened: OpenedWorkspace | undefined;
  let result: StepResult;
  try {
    opened = await prepare(working);
    result = await execute(working, opened);
  } catch (error) {
    result = isStopped(scope) ? { kind: 'outcome', outcome: 'error', detail: 'stopped' } : failure(error);
  } finally {
    opened?.checkpoints.stop();
  }
  const why = isStopped(scope);
  if (why === 'lost') return;
  if (why === 'shutdown') return handBack(working, opened);
  if (why === 'wall') result = { kind: 'limit', limit: 'wall', used: claimed.run.consumed.wall, max: stepLimits(claimed.run, undefined).wallMs, text: wallText(claimed.run) };
  if (why === 'timeout') result = { kind: 'outcome', outcome: 'timeout', detail: 'The step took longer than its own limit (wall).' };

  await journal.flush();
  const head = opened?.workspace?.head ?? claimed.run.head;
  const delivered = result.kind === 'outcome' ? (result.outputs?.['delivered'] as string | undefined) : undefined;
  const settled = await settle(engine, claimed, { result, head, delivered });
  if (!settled) await salvage(working, opened);
}

interface OpenedWorkspace {
  readonly execute: () => Promise<StepResult>;
  /** Undefined until the step has asked for it. */
  readonly workspace: Workspace | undefined;
  readonly checkpoints: { stop(): void };
}

/** Brings together what the step may use. The workspace is opened when the step asks for it. */
async function prepare({ engine, host, claimed, journal, scope }: Working): Promise<OpenedWorkspace> {
  const { run, step } = claimed;
  if (isHopeless(claimed)) {
    throw new SwitchyardError({
      code: 'attempt/hopeless',
      message: `The worker died ${claimed.earlier.length} times while working on ${step.node}.`,
      hint: 'Look into daemon.log; then `switchyard approve --choice retry`.',
    });
  }
  await host.agents.refresh();
  const [task, repository] = await Promise.all([getTask(engine.database, run.task), getRepository(engine.database, run.repository)]);
  const store = await host.openStore(repository);
  const forge = host.forge(repository, store);
  const walls: Sandbox = await host.sandbox(run.settings.sandbox);
  const sandbox = rememberingSandbox(walls, engine, claimed);
  const kind = kindOf(engine, claimed);

  let opening: Promise<Workspace> | undefined;
  let workspace: Workspace | undefined;
  const timer = setInterval(() => void checkpoint(engine, claimed, workspace).catch(() => undefined), CHECKPOINT_MS);
  const openWorkspace = () =>
    (opening ??= (async () => {
      const request = await workspaceRequest({ engine, host, claimed, store, walls, sandbox, signal: scope.signal, journal });
      const made = await host.workspaces.open(request);
      for (const text of made.notes) await journal.add({ kind: 'message', level: 'info', text, node: step.node, n: step.n });
      workspace = made.workspace;
      return workspace;
    })());
  const context = stepContext({ engine, host, claimed, journal, task, store, forge, sandbox, signal: scope.signal, openWorkspace });
  return {
    execute: () => kind.execute(context),
    get workspace() {
      return workspace;
    },
    checkpoints: { stop: () => clearInterval(timer) },
  };
}

async function execute({ scope }: Working, opened: OpenedWorkspace): Promise<StepResult> {
  if (isStopped(scope) !== undefined) throw scope.signal.reason;
  return opened.execute();
}

function kindOf(engine: Engine, claimed: Claim): Extract<NodeKind, { mode: 'execute' }> {
  const kind = engine.kinds.get(nodeOf(claimed).node.kind);
  if (kind?.mode !== 'execute') throw new Error(`no kind of node executes ${claimed.step.kind}`);
  return kind;
}

/** Saves uncollected work and tells the database where it is. */
async function checkpoint(engine: Engine, claimed: Claim, workspace: Workspace | undefined): Promise<void> {
  if (workspace === undefined) return;
  const commit = await workspace.checkpoint();
  await engine.database.query('update step set checkpoint = $3 where id = $1 and lease = $2', [claimed.step.id, claimed.attempt, commit]);
}

/** Ends the attempt without a result, so that whoever fetches the job next goes on with the workspace or its checkpoint. */
async function handBack({ engine, claimed, journal }: Working, opened: OpenedWorkspace | undefined): Promise<void> {
  await checkpoint(engine, claimed, opened?.workspace);
  const { step, attempt } = claimed;
  await journal.add({ kind: 'attempt.ended', node: step.node, n: step.n, attempt, result: 'interrupted' });
  await engine.database.query(`update attempt set ended_at = now(), seen_at = now(), result = 'interrupted' where step = $1 and n = $2 and ended_at is null`, [step.id, attempt]);
  await engine.queue.giveBack(claimed.job);
}

/** What an attempt that lost its lease at the very end has made is kept, where nobody takes it for the run's work. */
async function salvage({ engine, host, claimed }: Working, opened: OpenedWorkspace | undefined): Promise<void> {
  const head = opened?.workspace?.head;
  if (head === undefined || head === claimed.run.head) return;
  const store = await host.openStore(await getRepository(engine.database, claimed.run.repository));
  await store.keep(salvageRef(claimed.run.id, `${claimed.step.id}-${claimed.attempt}`), head);
}

function failure(error: unknown): StepResult {
  const hint = error instanceof SwitchyardError ? ` ${error.hint}` : '';
  const code = error instanceof SwitchyardError ? error.code : 'step/error';
  return { kind: 'outcome', outcome: 'error', detail: `${messageOf(error)}${hint}`, park: { code, needs: 'error' } };
}

function isStopped(scope: AbortController): StepAborted['why'] | undefined {
  const { aborted, reason } = scope.signal;
  if (!aborted) return undefined;
  return reason instanceof StepAborted ? reason.why : 'shutdown';
}

/** Stops the step when the run's wall time, or the node's own, is over. */
function wallTimer(claimed: Claim, scope: AbortController): Disposable {
  const { wallMs, stepWallMs } = stepLimits(claimed.run, claimed.step.aside ? undefined : nodeOf(claimed).node);
  const own = stepWallMs !== undefined && stepWallMs < wallMs;
  const timer = setTimeout(() => scope.abort(new StepAborted(own ? 'timeout' : 'wall')), Math.min(own ? stepWallMs : wallMs, 2 ** 31 - 1));
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
