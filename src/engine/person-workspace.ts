import type { Opening } from '../domain/opening.ts';
import { SwitchyardError } from '../lib/error.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { attemptsOf } from '../store/attempts.ts';
import { addOpeningNamespace, isBeingRemoved } from '../store/openings.ts';
import { getRepository } from '../store/repositories.ts';
import type { RunRow, StepRow } from '../store/rows.ts';
import { latestKept, leftCheckpoint, openStep, stepsOf } from '../store/steps.ts';
import { liveWorkers } from '../store/workers.ts';
import type { Opened } from '../workspaces/workspaces.ts';
import { handMeters } from './attempt-meters.ts';
import type { Engine } from './engine.ts';
import type { Host } from './host.ts';
import { type RunSandboxes, runSandboxes } from './run-sandboxes.ts';
import { requestFor } from './workspace-request.ts';

const REMOVAL_MS = 60_000;

interface Parts {
  readonly engine: Engine;
  readonly host: Host;
  /** It is open: nothing of the engine's uses the workspace. */
  readonly run: RunRow;
  readonly opening: Opening;
  readonly signal: AbortSignal;
}

export interface ForHands extends Opened {
  /** Whoever gets them disposes them, when nothing of the person's runs in the workspace any more. */
  readonly sandboxes: RunSandboxes;
}

/**
 * The run's workspace for the person who has the run open: the one that is here, or one that is made from the last checkpoint. Refuses
 * with `open/elsewhere` while a worker lives that has it.
 */
export async function workspaceForHands(parts: Parts & { readonly inherited: Opening | undefined }): Promise<ForHands> {
  const { engine, host, run, inherited } = parts;
  const { database } = engine;
  const last = await refuseElsewhere(parts);
  await waitUntil(async () => !(await isBeingRemoved(database, run.id, host.worker)), {
    timeoutMs: REMOVAL_MS,
    everyMs: 50,
    what: "the removal of the run's workspace",
  });
  // What somebody has left open here is theirs, whoever worked on the run before.
  const isLeft = inherited?.phase === 'open';
  const isHere = isLeft || last === undefined || last.worker === host.worker;
  const isThere = isHere && (await host.workspaces.list()).includes(run.id);
  const reuse = isThere && (last === undefined || (await nothingLives(parts, last.id)));
  const checkpoint = (await openStep(database, run.id))?.checkpoint ?? (await leftCheckpoint(database, run.id));
  const kept = reuse ? undefined : await latestKept(database, run.id);
  return open(parts, { reuse, checkpoint, kept });
}

/** The same workspace when it is handed back, with all that is in it. Nothing is started in it but the harness's own git. */
export async function handedWorkspace(parts: Parts): Promise<Opened> {
  const { sandboxes, ...opened } = await open(parts, { reuse: true });
  await sandboxes[Symbol.asyncDispose]();
  return opened;
}

async function open(
  { engine, host, run, opening, signal }: Parts,
  { reuse, checkpoint, kept }: { reuse: boolean; checkpoint?: string | undefined; kept?: string | undefined },
): Promise<ForHands> {
  await host.agents.refresh();
  const store = await host.openStore(await getRepository(engine.database, run.repository));
  await using unused = new AsyncDisposableStack();
  const meters = unused.use(handMeters(engine, run.id));
  const inner = unused.use(
    await runSandboxes({
      host,
      run,
      store,
      onRefused: () => undefined, // whoever sits there sees it in the terminal
      remember: async (name) =>
        void (await addOpeningNamespace(engine.database, { run: run.id, opening: opening.id }, name)),
      meter: (agent) => meters.of(agent),
      clock: engine.clock,
      signal,
    }),
  );
  const sandboxes: RunSandboxes = {
    ...inner,
    async [Symbol.asyncDispose]() {
      await inner[Symbol.asyncDispose]();
      await meters[Symbol.asyncDispose]();
    },
  };
  const opened = await host.workspaces.open({
    ...requestFor({ host, run, store, sandboxes, clock: engine.clock, signal, onSetupOutput: () => undefined }),
    step: `open-${opening.id}`,
    attempt: 1,
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(kept === undefined ? {} : { kept }),
    reuse,
  });
  unused.move();
  return { ...opened, sandboxes };
}

async function nothingLives({ engine, host }: Parts, step: string): Promise<boolean> {
  const attempts = await attemptsOf(engine.database, step);
  const walls = attempts.filter(({ worker }) => worker === host.worker).flatMap(({ namespaces }) => namespaces);
  const cleared = await Promise.all(walls.map((namespace) => host.remains.clear(namespace)));
  return cleared.every(Boolean);
}

/**
 * Refuses with `open/elsewhere` while a worker lives that has the run's workspace; one of a worker that is no more is lost, and made again
 * from the last checkpoint. Returns the latest step that anybody has worked on.
 */
export async function refuseElsewhere({
  engine,
  host,
  run,
}: Pick<Parts, 'engine' | 'host' | 'run'>): Promise<StepRow | undefined> {
  const last = (await stepsOf(engine.database, run.id)).findLast((step) => step.worker !== null);
  const holder = run.opening?.phase === 'open' ? run.opening.worker : (last?.worker ?? host.worker);
  const alive = (await liveWorkers(engine.database)).find(({ id }) => id === holder);
  if (holder === host.worker || alive === undefined) return last;
  throw new SwitchyardError({
    code: 'open/elsewhere',
    message: `The workspace of ${run.slug} is with another worker: process ${alive.pid} on ${alive.machine}.`,
    hint: `See the work with \`switchyard checkout ${run.slug}\`; or stop that worker, and open the run again: its workspace is then made here from the last checkpoint.`,
  });
}
