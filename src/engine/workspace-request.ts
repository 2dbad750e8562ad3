import type { Clock } from '../lib/clock.ts';
import type { RunRow } from '../store/rows.ts';
import { leftFor } from '../store/steps.ts';
import type { GitStore } from '../workspaces/git-store.ts';
import type { OpenRequest } from '../workspaces/workspaces.ts';
import type { Claim } from './claim.ts';
import type { Engine } from './engine.ts';
import type { Host } from './host.ts';
import type { Journal } from './journal.ts';
import type { RunSandboxes } from './run-sandboxes.ts';
import { setupOf, sharedSetup } from './setup.ts';

export interface RequestParts {
  readonly engine: Engine;
  readonly host: Host;
  readonly claimed: Claim;
  readonly store: GitStore;
  readonly sandboxes: Pick<RunSandboxes, 'git' | 'setup'>;
  readonly signal: AbortSignal;
  readonly journal: Journal;
}

/**
 * What the workspace of this attempt must be. What lies on this machine is used again only when this worker was the last one to work
 * on the run and nothing of its earlier attempts lives.
 */
export async function workspaceRequest({
  engine,
  host,
  claimed,
  store,
  sandboxes,
  signal,
  journal,
}: RequestParts): Promise<OpenRequest> {
  const { run, step, attempt } = claimed;
  const left = await leftFor(engine.database, step);
  const { kept } = left;
  const checkpoint = step.checkpoint ?? left.checkpoint;
  const last = claimed.earlier.at(-1)?.worker ?? left.worker;
  const reuse = (last === undefined || last === host.worker) && (await nothingLives(host, claimed));
  const onSetupOutput = (text: string) => void journal.add({ kind: 'agent.text', node: step.node, n: step.n, text });
  return {
    ...requestFor({ host, run, store, sandboxes, clock: engine.clock, signal, onSetupOutput }),
    step: step.id,
    attempt,
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(kept === undefined ? {} : { kept }),
    reuse,
  };
}

export interface RequestFacts extends Pick<RequestParts, 'host' | 'store' | 'sandboxes' | 'signal'> {
  readonly run: Omit<RunRow, 'state_kind'>;
  readonly clock: Clock;
  readonly onSetupOutput: (text: string) => void;
}

/** What every opening of a run's workspace has in common, whoever it is for. */
export function requestFor({
  host,
  run,
  store,
  sandboxes,
  clock,
  signal,
  onSetupOutput,
}: RequestFacts): Omit<OpenRequest, 'step' | 'attempt' | 'checkpoint' | 'reuse'> {
  const { settings } = run;
  return {
    run: run.id,
    slug: run.slug,
    store,
    head: run.head,
    base: run.base_commit,
    sandbox: sandboxes.git,
    identity: settings.identity,
    carry: settings.carry,
    sparse: settings.sparse,
    copy: { from: settings.checkout ?? '', globs: settings.checkout === null ? [] : settings.copy },
    ...(settings.setup === null
      ? {}
      : {
          setup: setupOf({
            host,
            repository: run.repository,
            settings: { ...settings, setup: settings.setup },
            layout: host.workspaces.layoutOf(run.id),
            sandbox: sandboxes.setup,
            onOutput: onSetupOutput,
          }),
          ...sharedSetup({ host, repository: run.repository, settings, store, clock, onOutput: onSetupOutput }),
        }),
    sessionFiles: host.agents.sessionFiles,
    signal,
  };
}

/** Ends what earlier attempts on this machine may have left, and says whether that is certain. */
async function nothingLives(host: Host, claimed: Claim): Promise<boolean> {
  const walls = claimed.earlier
    .filter((attempt) => attempt.worker === host.worker)
    .flatMap((attempt) => attempt.namespaces);
  const cleared = await Promise.all(walls.map((namespace) => host.remains.clear(namespace)));
  return cleared.every(Boolean);
}
