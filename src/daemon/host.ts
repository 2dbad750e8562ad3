import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalForge } from '../adapters/forges/local/index.ts';
import { pidRemains } from '../adapters/sandboxes/pid/index.ts';
import { createCheckoutProvider } from '../adapters/workspaces/checkout/index.ts';
import type { Host, HostAgents } from '../engine/host.ts';
import type { CrashPoint } from '../lib/crash-point.ts';
import type { Home } from '../lib/home.ts';
import { openGitStore } from '../workspaces/git-store.ts';
import { createWorkspaces } from '../workspaces/workspaces.ts';
import { agentAdapters } from './agents.ts';
import type { MachineSettings } from './machine-settings.ts';
import { wallsOf } from './walls.ts';

export interface HostOptions {
  readonly home: Home;
  /** Where the git stores lie: this home's own, or the server's for a worker that joins one. */
  readonly repositories: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly machine: MachineSettings;
  readonly crashPoint: CrashPoint;
}

/** What this machine has, put together from the adapters. */
export async function createHost({ home, repositories, env, machine, crashPoint }: HostOptions): Promise<Host> {
  const walls = wallsOf(env);
  const stores = new Map<string, ReturnType<typeof openGitStore>>();
  return {
    worker: await workerName(home),
    workspaces: createWorkspaces({ folder: home.workspaces, provider: createCheckoutProvider(), crashPoint }),
    openStore(repository) {
      const { id, path: repositoryPath } = repository;
      const key = `${id} ${repositoryPath}`;
      const open = stores.get(key) ?? openGitStore({ folder: repositories, repositoryPath, id, crashPoint });
      stores.set(key, open);
      open.catch(() => stores.delete(key));
      return open;
    },
    forge: (repository, store) => createLocalForge({ repository: repository.path, mirror: store.path, crashPoint }),
    walls: (level) => walls.get(level),
    gitWalls: () => walls.forGit(),
    openEgress: () => Promise.reject(new Error('no level of this version bounds the network')),
    remains: pidRemains,
    agents: agentsOf(machine),
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
