import { resolveRunConfig } from '../config/resolve.ts';
import { sharedSetup } from '../engine/setup.ts';
import { resolveCommit } from '../lib/git/refs.ts';
import { repositoriesInUse } from '../store/repositories.ts';
import type { RepositoryRow } from '../store/rows.ts';
import { containerSetting, developmentContainer } from './development-container.ts';
import { readInForce } from './in-force.ts';
import { networkAt } from './not-in-force.ts';
import type { OperationContext } from './operations.ts';

const IN_USE_MS = 24 * 60 * 60_000;

/** Whose branch stood where when it was last made ready, by repository. */
export type Warmed = Map<string, string>;

/**
 * Makes ready what the next runs of each repository in use are laid over, where the branch that they begin at has moved since the last time:
 * its files, and what setup makes of them. Rejects with what could not be made ready, after the others.
 */
export async function warmBases(context: OperationContext, warmed: Warmed, signal: AbortSignal): Promise<void> {
  const since = new Date(context.engine.clock.now() - IN_USE_MS);
  const failures: unknown[] = [];
  for (const repository of await repositoriesInUse(context.engine.database, since)) {
    if (signal.aborted) return;
    const commit = await protectedCommit(repository);
    if (commit === undefined || warmed.get(repository.id) === commit) continue;
    warmed.set(repository.id, commit);
    await warm(context, { repository, commit, signal }).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0 && !signal.aborted) throw new AggregateError(failures, 'bases that could not be made ready');
}

/** Of the branch that is checked out: for one person's repository it is the one that runs begin at. */
async function protectedCommit({ path, common_dir }: RepositoryRow): Promise<string | undefined> {
  return resolveCommit(common_dir ?? path, 'HEAD', 'user').catch(() => undefined);
}

async function warm(
  context: OperationContext,
  { repository, commit, signal }: { repository: RepositoryRow; commit: string; signal: AbortSignal },
): Promise<void> {
  const { host, engine } = context;
  const machine = await context.machine();
  const store = await host.openStore(repository);
  await store.fetchCommit(commit, signal);
  const inForce = await readInForce(store, commit, undefined);
  const blueprint = { name: machine.defaults.blueprint, limits: {}, workspace: {} };
  const config = resolveRunConfig({ machine, repository: inForce.config, blueprint, detected: inForce.detected });
  const level = config.sandbox ?? (await context.defaultSandbox());
  const development = await developmentContainer(level, {
    store,
    commit,
    machine,
    images: context.images,
    user: process.geteuid?.() ?? 0,
    signal,
  });
  const walls = await host.walls(level, development.container);
  const { enclose } = sharedSetup({
    host,
    repository: repository.id,
    store,
    clock: engine.clock,
    onOutput: () => undefined,
    settings: {
      setup: config.setup ?? null,
      setupSecrets: config.setupSecrets,
      sandbox: walls.level,
      ...containerSetting(development),
      network: networkAt(walls.level, config.network),
      resources: machine.resources,
      ...(config.services === undefined ? {} : { services: config.services }),
      promises: { mechanism: walls.mechanism, guarantees: [], warnings: [] },
    },
  });
  await host.workspaces.warm({ store, commit, signal, ...(enclose === undefined ? {} : { setup: enclose }) });
}
