import { z } from 'zod';
import { Limits } from './limits.ts';
import { ResourceLimits, SandboxLevel, WallPromises } from './sandbox.ts';
import { Service } from './service.ts';

export const RunContainer = z.object({
  /** For people. */
  name: z.string(),
  /** The image's id. */
  image: z.string(),
  /** Set for all programs. */
  variables: z.record(z.string(), z.string()),
});
export type RunContainer = z.infer<typeof RunContainer>;

/** What was in force when a run started, from the machine's and the repository's configuration and the flags. A run never looks there again. */
export const RunSettings = z.object({
  /** The agent that stands for `default`; null when no node needs one. */
  agent: z.string().nullable(),
  checks: z.array(
    z.object({
      name: z.string(),
      run: z.string(),
      kind: z.string(),
      timeoutMs: z.number().optional(),
      budgetMs: z.number().optional(),
      fix: z.string().optional(),
      changed: z.string().optional(),
      /** The folder that it runs in. */
      path: z.string().optional(),
      /** Names of the secrets that it finds in its environment. */
      secrets: z.array(z.string()).readonly().optional(),
    }),
  ),
  setup: z.string().nullable(),
  /** Names of the secrets that setup finds in its environment. */
  setupSecrets: z.array(z.string()).optional(),
  /** What its programs find on their loopback. */
  services: z.array(Service).optional(),
  /** The only folders of the repository that its workspaces have; without it, all. */
  sparse: z.array(z.string()).optional(),
  copy: z.array(z.string()),
  carry: z.array(z.string()),
  limits: Limits,
  sandbox: SandboxLevel,
  /** What the level promised when the run began, and what it did not. */
  promises: WallPromises.optional(),
  /** What its programs run in at level `container`, where the repository's `.devcontainer` says it and the machine lets it. */
  container: RunContainer.optional(),
  /** What its programs may reach: `model`, `packages`, host names. */
  network: z.array(z.string()).optional(),
  /** What they may use together. */
  resources: ResourceLimits.optional(),
  identity: z.object({ name: z.string(), email: z.string() }),
  /** Answer `approved` wherever it is offered, in the name of the requester. */
  yes: z.boolean(),
  /** The checkout from which the run was started; `copy` reads there. */
  checkout: z.string().nullable(),
  /** The commit that the run began with and that holds what was not committed in the checkout, where that was taken along. */
  included: z.string().optional(),
  /** Whether a merge pushes the target. */
  push: z.boolean(),
});
export type RunSettings = z.infer<typeof RunSettings>;
