import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalForge } from '../adapters/forges/local/index.ts';
import type { MachineConfig } from '../config/machine.ts';
import type { Host, HostAgents, HostSecrets } from '../engine/host.ts';
import { createEgress } from '../gateway/egress/create.ts';
import type { ModelGateway } from '../gateway/model/gateway.ts';
import { systemClock } from '../lib/clock.ts';
import type { CrashPoint } from '../lib/crash-point.ts';
import type { Home } from '../lib/home.ts';
import { openGitStore } from '../workspaces/git-store.ts';
import { createWorkspaces } from '../workspaces/workspaces.ts';
import { agentAdapters } from './agents.ts';
import type { Log } from './log.ts';
import type { MachineSettings } from './machine-settings.ts';
import type { HostWalls } from './walls.ts';
import { workspaceProvider } from './workspace-providers.ts';

export interface HostOptions {
  readonly home: Home;
  /** Where the git stores lie: this home's own, or the server's for a worker that joins one. */
  readonly repositories: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly machine: MachineSettings;
  readonly walls: HostWalls;
  readonly gateway: ModelGateway;
  readonly secrets: HostSecrets;
  readonly crashPoint: CrashPoint;
  readonly log: Log;
}

/** What this machine has, put together from the adapters. */
export async function createHost({
  home,
  repositories,
  env,
  machine,
  walls,
  gateway,
  secrets,
  crashPoint,
  log,
}: HostOptions): Promise<Host> {
  const stores = new Map<string, ReturnType<typeof openGitStore>>();
  return {
    worker: await workerName(home),
    workspaces: createWorkspaces({
      folder: home.workspaces,
      bases: home.bases,
      pool: { size: machine.current.workspaces.pool },
      provider: await workspaceProvider(home, machine.current),
      crashPoint,
      clock: systemClock,
      onNote: (text) => log.info(text),
    }),
    openStore(repository) {
      const { id, path: repositoryPath } = repository;
      const key = `${id} ${repositoryPath}`;
      const open = stores.get(key) ?? openGitStore({ folder: repositories, repositoryPath, id, crashPoint });
      stores.set(key, open);
      open.catch(() => stores.delete(key));
      return open;
    },
    forge: (repository, store) => createLocalForge({ repository: repository.path, mirror: store.path, crashPoint }),
    walls: (level, container) => walls.get(level, container),
    gitWalls: () => walls.forGit(),
    openEgress: createEgress({
      folder: home.sockets,
      hostEnv: env,
      trusted: () => trustedPlaces(machine.current),
    }),
    openModel: gateway.open,
    remains: walls.remains,
    agents: agentsOf(machine),
    secrets,
    env,
  };
}

function agentsOf(machine: MachineSettings): HostAgents {
  const entry = (name: string) =>
    Object.hasOwn(machine.current.agents, name) ? machine.current.agents[name] : undefined;
  return {
    entry,
    adapter: (kind) => agentAdapters.get(kind),
    get sessionFiles() {
      return Object.keys(machine.current.agents).map((agent) => ({
        agent,
        globs: agentAdapters.get(entry(agent)?.kind ?? '')?.sessionFiles ?? [],
      }));
    },
    async refresh() {
      await machine.reload();
    },
  };
}

/** A name that this home's worker keeps. */
async function workerName(home: Home): Promise<string> {
  const file = join(home.folder, 'worker');
  const known = await readFile(file, 'utf8').catch(() => '');
  if (known.trim() !== '') return known.trim();
  const name = `w${randomBytes(5).toString('hex')}`;
  await writeFile(file, `${name}\n`, { mode: 0o600 });
  return name;
}

/** What this machine's owner has named: agents' endpoints, and hosts in private networks. */
function trustedPlaces({ agents, privateHosts }: MachineConfig): string[] {
  const endpoints = Object.values(agents).flatMap(({ endpoint }) => endpoint ?? []);
  return [...endpoints.map(({ baseUrl }) => authorityOfUrl(baseUrl)), ...privateHosts];
}

/** `host:port` of an address. */
function authorityOfUrl(text: string): string {
  const { hostname, port, protocol } = new URL(text);
  return `${hostname}:${port === '' ? (protocol === 'http:' ? '80' : '443') : port}`;
}
