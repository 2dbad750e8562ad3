import type { MachineConfig } from '../config/machine.ts';
import type { SandboxLevel } from '../domain/sandbox.ts';
import type { Engine } from '../engine/engine.ts';
import type { Host } from '../engine/host.ts';
import type { Home } from '../lib/home.ts';
import type { OneAtATime } from '../lib/one-at-a-time.ts';
import type { ContainerImages } from '../ports/sandbox/container-images.ts';
import type { SecretStore } from '../secrets/store.ts';

/** What every operation works with. An operation is one thing that a person can do: it checks the request, then calls the engine. */
export interface OperationContext {
  readonly engine: Engine;
  readonly host: Host;
  /** The machine's configuration as it stands now; rejects with `config/invalid`, naming every problem. */
  machine(): Promise<MachineConfig>;
  /** The folder of the shipped blueprints. */
  readonly blueprints: string;
  /** The level that a run gets when nobody names one: the strongest that this host has. */
  readonly defaultSandbox: () => Promise<SandboxLevel>;
  /** Of the container engine, for what a repository's `.devcontainer` asks for. */
  readonly images: ContainerImages;
  readonly secrets: SecretStore;
  readonly home: Home;
  /** What the openings of persons hold beside the run, by the opening's id: the ways out of their sandboxes. */
  readonly heldByOpenings: Map<string, AsyncDisposable>;
  /** For what persons do in workspaces by hand: one after the other for each run. */
  readonly hands: OneAtATime;
}

/**
 * Has what the owner has changed in config.yaml count from here on. A file that cannot be read changes nothing here: what was read before
 * stays in force, and a step that is begun says what is wrong.
 */
export async function heedConfiguration(context: OperationContext): Promise<void> {
  await context.machine().catch(() => undefined);
}
