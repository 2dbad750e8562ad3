import type { AgentEntry } from '../domain/agent-entry.ts';
import type { SandboxLevel } from '../domain/sandbox.ts';
import type { RunContainer } from '../domain/settings.ts';
import type { Redact } from '../lib/redact.ts';
import type { AgentAdapter } from '../ports/agent.ts';
import type { OpenEgress } from '../ports/egress.ts';
import type { Forge } from '../ports/forge.ts';
import type { OpenModelWay } from '../ports/model-gateway.ts';
import type { SandboxRemains, Walls } from '../ports/sandbox.ts';
import type { RepositoryRow } from '../store/rows.ts';
import type { GitStore } from '../workspaces/git-store.ts';
import type { Workspaces, WorkspaceUpkeep } from '../workspaces/workspaces.ts';

/** What a worker has on its machine: everything that an attempt touches besides the database. Made once by the daemon. */
export interface Host {
  /** The worker's name, the same after a restart. */
  readonly worker: string;
  readonly workspaces: Workspaces & WorkspaceUpkeep;
  openStore(repository: RepositoryRow): Promise<GitStore>;
  forge(repository: RepositoryRow, store: GitStore): Forge;
  /** Rejects with `sandbox/unavailable` when the host cannot give what the level promises. A container is the run's own, else the machine's. */
  walls(level: SandboxLevel, container?: RunContainer): Promise<Walls>;
  /** For the harness's own git over agents' files: the best that starts quickly here, whatever level the run has. */
  gitWalls(): Promise<Walls>;
  readonly openEgress: OpenEgress;
  readonly openModel: OpenModelWay;
  readonly remains: SandboxRemains;
  readonly agents: HostAgents;
  readonly secrets: HostSecrets;
  /** The environment that commands and checks get, and from which agents' keys are taken. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface HostSecrets {
  /** Takes in what was stored, changed or removed since, so that it is taken out of texts. Rejects with `secret/…`. */
  refresh(): Promise<void>;
  /** What programs of that repository (its id) find in their environment; rejects with `secret/missing`, naming all that are. */
  valuesOf(repository: string, names: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** The same as the engine's. */
  readonly redact: Redact;
}

export interface HostAgents {
  /** Takes in what the machine's owner has changed; rejects with `config/invalid`. */
  refresh(): Promise<void>;
  entry(name: string): AgentEntry | undefined;
  adapter(kind: string): AgentAdapter | undefined;
  /** Of all entries: which files sessions live in. */
  readonly sessionFiles: readonly { readonly agent: string; readonly globs: readonly string[] }[];
}
