import type { Sandbox } from '../ports/sandbox.ts';
import type { RunRow } from '../store/rows.ts';
import { latestKept, leftCheckpoint, workerBefore } from '../store/steps.ts';
import type { GitStore } from '../workspaces/git-store.ts';
import type { OpenRequest } from '../workspaces/workspaces.ts';
import type { Claim } from './claim.ts';
import { enclosedEnv } from './context.ts';
import type { Engine } from './engine.ts';
import type { Host } from './host.ts';
import type { Journal } from './journal.ts';
import type { RunSandboxes } from './run-sandboxes.ts';

const SETUP_TIMEOUT_MS = 30 * 60_000;

export interface RequestParts {
  readonly engine: Engine;
  readonly host: Host;
  readonly claimed: Claim;
  readonly store: GitStore;
  readonly sandboxes: Pick<RunSandboxes, 'git' | 'programs'>;
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
  const kept = await latestKept(engine.database, run.id);
  const checkpoint = step.checkpoint ?? (await leftCheckpoint(engine.database, run.id));
  const last = claimed.earlier.at(-1)?.worker ?? (await workerBefore(engine.database, step));
  const reuse = (last === undefined || last === host.worker) && (await nothingLives(host, claimed));
  const onSetupOutput = (text: string) => void journal.add({ kind: 'agent.text', node: step.node, n: step.n, text });
  return {
    ...requestFor({ host, run, store, sandboxes, signal, onSetupOutput }),
    step: step.id,
    attempt,
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(kept === undefined ? {} : { kept }),
    reuse,
  };
}

export interface RequestFacts extends Pick<RequestParts, 'host' | 'store' | 'sandboxes' | 'signal'> {
  readonly run: Omit<RunRow, 'state_kind'>;
  readonly onSetupOutput: (text: string) => void;
}

/** What every opening of a run's workspace has in common, whoever it is for. */
export function requestFor({
  host,
  run,
  store,
  sandboxes,
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
    copy: { from: settings.checkout ?? '', globs: settings.checkout === null ? [] : settings.copy },
    ...(settings.setup === null
      ? {}
      : {
          setup: {
            command: settings.setup,
            env: setupEnv(host, run.id, sandboxes.programs),
            timeoutMs: SETUP_TIMEOUT_MS,
            onOutput: onSetupOutput,
            sandbox: sandboxes.programs,
          },
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

/** Setup may need what a package client needs: without walls round HOME it gets the harness's environment less Switchyard's own. */
function setupEnv({ env, workspaces }: Host, run: string, sandbox: Sandbox): Record<string, string> {
  const { home } = workspaces.layoutOf(run);
  if (sandbox.inside(home) !== home) return enclosedEnv(env, sandbox, home);
  const own = /^(SWITCHYARD_|DATABASE_URL$)/;
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined || own.test(name) ? [] : [[name, value]])),
  );
}
