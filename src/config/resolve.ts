import { z } from 'zod';
import { known } from '../blueprint/problem.ts';
import type { Blueprint } from '../domain/blueprint.ts';
import { type HeldLimit, type LimitName, Limits, mergeLimits } from '../domain/limits.ts';
import { SandboxLevel } from '../domain/sandbox.ts';
import { Service } from '../domain/service.ts';
import { formatCount, formatDollars, formatDuration } from '../domain/units.ts';
import type { CheckDeclaration } from '../ports/node.ts';
import type { MachineConfig } from './machine.ts';
import type { RepositoryConfig } from './repository.ts';
import { declaredServices } from './service.ts';
import { setupCommand, writtenSetup } from './written-setup.ts';

/** What holds when nobody says anything; anybody may say otherwise. */
export const BUILT_IN_LIMITS: Limits = { wall: 7_200_000, silence: 900_000, turns: 60, steps: 40 };
const DEFAULT_NETWORK: readonly string[] = ['model', 'packages'];

const Check = z.object({
  name: z.string(),
  run: z.string(),
  kind: z.string(),
  timeoutMs: z.int().positive().optional(),
  fix: z.string().optional(),
  changed: z.string().optional(),
  budgetMs: z.int().positive().optional(),
  path: z.string().optional(),
  secrets: z.array(z.string()).readonly().optional(),
});

/** All that the configuration says to one run. Plain JSON: it is stored with the run, which never looks at a file again. */
export const RunConfig = z.object({
  checks: z.array(Check),
  checksFrom: z.enum(['declared', 'detected', 'none']),
  setup: z.string().optional(),
  /** What setup finds in its environment. */
  setupSecrets: z.array(z.string()),
  services: z.array(Service).optional(),
  /** The only folders of the checkout that the workspace has; undefined: all. */
  sparse: z.array(z.string()).optional(),
  /** Ignored files of the checkout that the workspace receives, and those that checkpoints keep. */
  copy: z.array(z.string()),
  carry: z.array(z.string()),
  network: z.array(z.string()),
  /** Of the run. A step's are `mergeLimits({ ...limitLevels, node })`. */
  limits: Limits,
  limitLevels: z.object({ builtIn: Limits, machine: Limits, repository: Limits, blueprint: Limits, flag: Limits }),
  protected: z.array(z.string()),
  server: z.string().optional(),
  /** Undefined: the strongest that the host has. */
  sandbox: SandboxLevel.optional(),
  /** The weakest that the repository allows. */
  leastSandbox: SandboxLevel.optional(),
  /** What is not in force as it was written, and what was found instead: one sentence each. */
  notes: z.array(z.string()),
});
export type RunConfig = z.infer<typeof RunConfig>;

export interface RunConfigSources {
  readonly machine: MachineConfig;
  readonly repository: RepositoryConfig;
  readonly blueprint: Pick<Blueprint, 'name' | 'limits' | 'workspace'>;
  /** What was asked for by hand for this run alone. */
  readonly flags?: { readonly limits?: Limits | undefined; readonly sandbox?: SandboxLevel | undefined };
  /** What was found in the repository's files; used where its configuration is silent. */
  readonly detected?: Detected | undefined;
}

export interface Detected {
  readonly checks: readonly CheckDeclaration[];
  readonly setup?: string | undefined;
  readonly notes?: readonly string[] | undefined;
}

/** What is in force for a run. */
export function resolveRunConfig({
  machine,
  repository,
  blueprint,
  flags = {},
  detected,
}: RunConfigSources): RunConfig {
  const limitLevels = {
    builtIn: BUILT_IN_LIMITS,
    machine: machine.defaults.limits,
    repository: repository.limits,
    blueprint: blueprint.limits,
    flag: flags.limits ?? {},
  };
  const { limits, held } = mergeLimits(limitLevels);
  const { checks, checksFrom, notes } = checksInForce(repository, detected);
  const written = writtenSetup(repository.setup);
  const setup = resolveSetup([blueprint.workspace.setup, setupCommand(written.run)], detected?.setup);
  const sparse = blueprint.workspace.sparse ?? repository.workspace.sparse;
  const sandbox = flags.sandbox ?? machine.sandbox;
  const leastSandbox = repository.workspace.sandbox;
  return {
    checks,
    checksFrom,
    ...(setup === undefined ? {} : { setup }),
    setupSecrets: setup === undefined ? [] : secretsOfSetup(blueprint.workspace, written),
    ...(repository.services === undefined ? {} : { services: declaredServices(repository.services) }),
    ...(sparse === undefined ? {} : { sparse: [...new Set(sparse)] }),
    copy: [...new Set(repository.workspace.copy)],
    carry: [...new Set([...repository.workspace.carry, ...(blueprint.workspace.carry ?? [])])],
    network: [...new Set(blueprint.workspace.network ?? repository.workspace.network ?? DEFAULT_NETWORK)],
    limits,
    limitLevels,
    protected: repository.protected,
    ...(repository.server === undefined ? {} : { server: repository.server }),
    ...(sandbox === undefined ? {} : { sandbox }),
    ...(leastSandbox === undefined ? {} : { leastSandbox }),
    notes: [...held.map((limit) => heldNote(limit)), ...notes],
  };
}

function checksInForce(
  repository: RepositoryConfig,
  detected: Detected | undefined,
): Pick<RunConfig, 'checks' | 'checksFrom' | 'notes'> {
  const declared = declaredChecks(repository);
  if (declared !== undefined) return { checks: declared, checksFrom: 'declared', notes: [] };
  const checks = [...(detected?.checks ?? [])];
  const notes = repository.setup === undefined ? [...(detected?.notes ?? [])] : [];
  if (checks.length === 0) return { checks, checksFrom: 'none', notes };
  const names = checks.map(({ name }) => name).join(', ');
  return { checks, checksFrom: 'detected', notes: [`checks were detected, not declared: ${names}`, ...notes] };
}

/** The checks that a repository declares, in its order; undefined when it leaves them to detection. */
export function declaredChecks(repository: RepositoryConfig): (CheckDeclaration & { budgetMs?: number })[] | undefined {
  if (repository.checks === undefined) return undefined;
  return Object.entries(repository.checks).map(([name, check]) => ({
    name,
    run: check.run,
    kind: check.kind ?? name,
    timeoutMs: check.timeout,
    ...(check.fix === undefined ? {} : { fix: check.fix }),
    ...(check.changed === undefined ? {} : { changed: check.changed }),
    ...(check.budget === undefined ? {} : { budgetMs: check.budget }),
    ...(check.path === undefined ? {} : { path: check.path }),
    ...(check.secrets === undefined ? {} : { secrets: check.secrets }),
  }));
}

/** The agent that `default` means in a run's nodes. `message` says what to do when there is none. */
export function chooseAgent(
  machine: MachineConfig,
  flag?: string,
): { ok: true; name: string } | { ok: false; message: string; hint: string; none: boolean } {
  const names = Object.keys(machine.agents);
  const only = names.length === 1 ? names[0] : undefined;
  const name = flag ?? machine.defaults.agent ?? only;
  if (name === undefined) {
    return names.length === 0
      ? {
          ok: false,
          message: 'no agent is configured',
          hint: 'Add one under `agents:` in config.yaml of SWITCHYARD_HOME.',
          none: true,
        }
      : {
          ok: false,
          message: 'several agents are configured and none is the default',
          hint: `Name one with --agent or as defaults.agent: ${names.join(', ')}.`,
          none: false,
        };
  }
  if (names.includes(name)) return { ok: true, name };
  return { ok: false, message: `there is no agent ${JSON.stringify(name)}`, hint: known(name, names), none: false };
}

/** The first that says something counts; `auto` is what was detected, `none` is none. */
function resolveSetup(written: readonly (string | undefined)[], detected: string | undefined): string | undefined {
  const said = written.find((setup) => setup !== undefined && setup !== 'auto');
  if (said === 'none') return undefined;
  return said ?? detected;
}

/** A blueprint's setup is another program: what the repository gives to its own is not for that. */
function secretsOfSetup(
  { setup = 'auto' }: Pick<Blueprint['workspace'], 'setup'>,
  { secrets }: ReturnType<typeof writtenSetup>,
): string[] {
  return setup === 'auto' ? [...secrets] : [];
}

function heldNote({ limit, level, asked, held }: HeldLimit): string {
  const show = SHOWN[limit];
  return `the ${level} asks for ${limit} ${show(asked)}; this machine allows ${show(held)}, which is in force (--limit ${limit}=… may exceed it)`;
}

const SHOWN: Readonly<Record<LimitName, (amount: number) => string>> = {
  wall: formatDuration,
  silence: formatDuration,
  turns: formatCount,
  steps: formatCount,
  cost: formatDollars,
  tokens: formatCount,
  repeats: formatCount,
};
