import { writeFile } from 'node:fs/promises';
import type { Home } from '../lib/home.ts';
import { cancelRun, decideRun, discardRun, mergeRun, restoreRun, retryRun } from '../operations/act-on-run.ts';
import { checkBlueprint, listBlueprints, showBlueprint } from '../operations/blueprints.ts';
import { checkoutRun } from '../operations/checkout-run.ts';
import { forkRun } from '../operations/fork-run.ts';
import { handBackRun } from '../operations/hand-back.ts';
import { initRepository } from '../operations/init-repository.ts';
import { diffRun, listRuns, showRun } from '../operations/look-at-run.ts';
import { openRun, openStarted } from '../operations/open-run.ts';
import type { OperationContext } from '../operations/operations.ts';
import { prune } from '../operations/prune.ts';
import { addRepository, listRepositories, removeRepository } from '../operations/repositories.ts';
import { listSecrets, removeSecret, setSecret } from '../operations/secrets.ts';
import { sendToRun } from '../operations/send-to-run.ts';
import { startRun } from '../operations/start-run.ts';
import { usage } from '../operations/usage.ts';
import { whyRun } from '../operations/why-run.ts';
import type { Handlers } from '../server/app.ts';
import { countRuns, countTimed } from '../store/runs.ts';
import { liveWorkers } from '../store/workers.ts';
import { agentRows } from './doctor/agents.ts';

export interface ServerFacts {
  readonly version: string;
  readonly startedAt: Date;
  readonly testMode: boolean;
  readonly home: Home;
  readonly database: 'embedded' | 'external';
  readonly databaseUrl: string;
}

export interface HandlerParts {
  readonly operations: OperationContext;
  readonly facts: ServerFacts;
  readonly stop: () => void;
}

/** Which operation answers which route. */
export function handlers({ operations, facts, stop }: HandlerParts): Handlers {
  return {
    health: () => health(operations, facts),
    stop: async ({ restart }) => {
      // Whoever only watches a run does not start the daemon again then.
      if (!restart) await writeFile(facts.home.stopped, '', { mode: 0o600 });
      setImmediate(stop);
      return { stopping: true };
    },
    joinWorker: async () => ({
      databaseUrl: facts.databaseUrl,
      repositories: facts.home.repositories,
      version: facts.version,
      home: facts.home.folder,
    }),
    prune: ({ dryRun }) => prune(operations, { dryRun, signal: AbortSignal.timeout(60 * 60_000) }),
    examineAgents: ({ online }) => examineAgents(operations, online),
    startRun: (request) => startRun(operations, request),
    listRuns: (request) => listRuns(operations, request),
    showRun: (_, { run }) => showRun(operations, run),
    diffRun: (_, { run }) => diffRun(operations, run),
    whyRun: (_, { run }) => whyRun(operations, run),
    decideRun: (request, { run }) => decideRun(operations, run, request),
    mergeRun: (request, { run }) => mergeRun(operations, run, request),
    sendToRun: (request, { run }) => sendToRun(operations, run, request),
    forkRun: (request, { run }) => forkRun(operations, run, request),
    retryRun: (request, { run }) => retryRun(operations, run, request),
    cancelRun: (request, { run }) => cancelRun(operations, run, request),
    discardRun: (request, { run }) => discardRun(operations, run, request),
    restoreRun: (request, { run }) => restoreRun(operations, run, request),
    checkoutRun: (request, { run }) => checkoutRun(operations, run, request),
    openRun: (request, { run }) => openRun(operations, run, request),
    openStarted: (request, { run }) => openStarted(operations, run, request),
    handBackRun: (request, { run }) => handBackRun(operations, run, request),
    usage: (request) => usage(operations, request),
    listBlueprints: ({ repository }) => listBlueprints(operations, repository),
    showBlueprint: ({ repository }, { name }) => showBlueprint(operations, name, repository),
    checkBlueprint: ({ file, repository }) => checkBlueprint(operations, file, repository),
    listRepositories: () => listRepositories(operations),
    addRepository: (request) => addRepository(operations, request),
    removeRepository: (request) => removeRepository(operations, request),
    setSecret: (request) => setSecret(operations, request),
    listSecrets: () => listSecrets(operations),
    removeSecret: (request) => removeSecret(operations, request),
    initRepository: (request) => initRepository(operations, request),
  };
}

async function examineAgents(operations: OperationContext, online: boolean) {
  const { host, home, secrets } = operations;
  const config = await operations.machine();
  const rows = await agentRows({ config, home, env: host.env, online, signal: undefined, secrets });
  return { schema: 1 as const, pid: process.pid, rows };
}

async function health({ engine, host }: OperationContext, facts: ServerFacts) {
  const { database } = engine;
  const [workers, counts, timed] = await Promise.all([
    liveWorkers(database),
    countRuns(database),
    countTimed(database),
  ]);
  return {
    schema: 1 as const,
    version: facts.version,
    pid: process.pid,
    home: facts.home.folder,
    startedAt: facts.startedAt.toISOString(),
    testMode: facts.testMode,
    database: facts.database,
    workers: workers.map(({ id, machine, pid, running }) => ({ id, machine, pid, running, self: id === host.worker })),
    runs: { queued: counts.queued ?? 0, running: counts.running ?? 0, parked: counts.parked ?? 0, timed },
  };
}
