import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { providersOf, secretsOfAgents } from '../domain/agent-entry.ts';
import type { Engine, FleetLimits } from '../engine/engine.ts';
import type { Host } from '../engine/host.ts';
import { Spending } from '../engine/spending.ts';
import { Worker } from '../engine/worker.ts';
import { systemClock } from '../lib/clock.ts';
import { armedCrashPoint, type CrashPoint, noCrashPoint } from '../lib/crash-point.ts';
import { messageOf } from '../lib/error.ts';
import type { Home } from '../lib/home.ts';
import { randomIds } from '../lib/ids.ts';
import { credentialsInAddresses, keysOfAgents } from '../secrets/credentials.ts';
import { systemKeyring } from '../secrets/keyring.ts';
import type { KnownSecrets } from '../secrets/known-secrets.ts';
import { programSecrets } from '../secrets/program-secrets.ts';
import { openSecretStore, type SecretStore } from '../secrets/store.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { openedWith } from '../store/openings.ts';
import { openQueue } from '../store/queue.ts';
import { createHost } from './host.ts';
import { nodeKinds } from './kinds.ts';
import type { Log } from './log.ts';
import { type MachineSettings, openMachineSettings } from './machine-settings.ts';
import { modelGateway } from './model-gateway.ts';
import { version } from './version.ts';
import { type HostWalls, wallsOf } from './walls.ts';

/** The parts that daemon and worker have in common, put together and started. Disposing stops them in order. */
export interface Running extends AsyncDisposable {
  readonly engine: Engine;
  readonly host: Host;
  readonly machine: MachineSettings;
  readonly walls: HostWalls;
  readonly secrets: SecretStore;
}

export interface ComposeOptions {
  readonly home: Home;
  readonly databaseUrl: string;
  readonly repositories: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly crashPoint: CrashPoint;
  readonly log: Log;
  /** What the log leaves out already; everything secret that comes to be known is added. */
  readonly known: KnownSecrets;
  /** The home from whose store secrets are read: this one, or the server's for a worker that joins one. */
  readonly secretsOf: Pick<Home, 'folder' | 'secrets'>;
  /** Brings the database to this version before anything uses it. */
  readonly prepare?: (database: Database) => Promise<void>;
  /** Whether this process works on steps itself. */
  readonly works: boolean;
}

export async function compose({
  home,
  databaseUrl,
  repositories,
  env,
  crashPoint,
  log,
  known,
  secretsOf,
  prepare,
  works,
}: ComposeOptions): Promise<Running> {
  await using stack = new AsyncDisposableStack();
  known.know(credentialsInAddresses(env));
  const machine = openMachineSettings(home, ({ agents }) => known.know(keysOfAgents(agents, env)));
  await machine.reload();
  const database = stack.use(openDatabase(databaseUrl, { clock: systemClock }));
  await prepare?.(database);
  const queue = stack.use(await openQueue(database, (error) => log.warn('queue', error)));
  const engine: Engine = {
    database,
    queue,
    clock: systemClock,
    ids: randomIds,
    kinds: nodeKinds,
    crashPoint,
    redact: known.redact,
    get limits() {
      return fleetLimits(machine);
    },
    get budgets() {
      return machine.current;
    },
    spending: new Spending(),
  };
  const walls = wallsOf({ env, home, machine: machine.current });
  const secrets = openSecretStore({
    home: secretsOf.folder,
    file: secretsOf.secrets,
    keyring: systemKeyring(env, process.platform),
    kind: () => machine.current.secrets.store,
  });
  const inPrograms = programSecrets({
    store: secrets,
    known,
    onUnreadable: onceFor(log),
    ofAgents: () => secretsOfAgents(machine.current.agents),
  });
  await inPrograms.refresh();
  const ofAll = () => inPrograms.forAllRepositories();
  const gateway = stack.use(await modelGateway({ home, env, machine, secrets: ofAll }));
  const shared = { home, repositories, env, machine, walls, gateway, crashPoint, log };
  const host = await createHost({ ...shared, secrets: inPrograms });
  stack.use(host.workspaces);
  if (works) {
    await walls.clearLeft().catch((error: unknown) => log.warn('walls of a process that has died', error));
    // What an earlier process left mounted is mounted again where a run goes on; a person may be at work in it meanwhile.
    const tidy = async () => host.workspaces.sweep(await openedRuns(database, host.worker));
    await tidy().catch((error: unknown) => log.warn('workspaces of an earlier process', error));
    stack.defer(() => tidy().catch((error: unknown) => log.warn('workspaces could not be put away', error)));
    const worker = stack.use(new Worker(engine, host, (text, error) => log.error(text, error)));
    await worker.start({ machine: hostname(), pid: process.pid, version });
  }
  const owned = stack.move();
  return { engine, host, machine, walls, secrets, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Says once for as long as it stays the same what is wrong with the store. */
function onceFor(log: Log): (error: unknown) => void {
  let said = '';
  return (error) => {
    const text = messageOf(error);
    if (text !== said) log.warn('secrets cannot be read', error);
    said = text;
  };
}

/** Runs that somebody has open. */
async function openedRuns(database: Database, worker: string): Promise<string[]> {
  return (await openedWith(database, worker)).map(({ id }) => id);
}

function fleetLimits({ current }: MachineSettings): FleetLimits {
  const providers = Object.fromEntries(
    Object.entries(current.agents).map(([name, entry]) => [name, providersOf(name, entry)]),
  );
  return { ...current.limits, providers, others: Math.max(4, 2 * availableParallelism()) };
}

/** The crash point that the environment arms; honoured in test mode only. */
export function crashPointFrom(
  env: Readonly<Record<string, string | undefined>>,
  testMode: boolean,
  die: () => Promise<void>,
): CrashPoint {
  const armed = env['SWITCHYARD_CRASH_POINT'];
  return testMode && armed !== undefined && armed !== '' ? armedCrashPoint(armed, die) : noCrashPoint;
}

/** Dies as if the power had gone: nothing after the call happens. */
export async function dieAtOnce(): Promise<void> {
  process.kill(process.pid, 'SIGKILL');
  await new Promise<never>(() => undefined);
}

/** The package's own folder, in a checkout and installed. */
export const packageFolder = fileURLToPath(new URL('../../', import.meta.url));
export const blueprintsFolder = join(packageFolder, 'blueprints');
