import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import type { SourceDocument } from '../blueprint/document.ts';
import { known, type Problem } from '../blueprint/problem.ts';
import { AgentEntry } from '../domain/agent-entry.ts';
import { WrittenLimits } from '../domain/limits.ts';
import { SandboxLevel, WrittenResources } from '../domain/sandbox.ts';
import { Duration } from '../domain/units.ts';
import { WorkspaceProviderKind } from '../domain/workspace.ts';
import { accountingProblems, WrittenBudgets, WrittenPrices, WrittenTeams } from './accounting.ts';
import { ConfigName } from './names.ts';
import { type Loaded, loadYaml } from './yaml-document.ts';

/** How long something is kept after it has ended: `30d` ⇄ milliseconds, or `never`, which removes nothing. */
const Retention = z.codec(
  z
    .string()
    .regex(/^(never|(\d+(\.\d+)?(ms|s|m|h|d))+)$/, 'write how long it is kept as 30d or 12h, or never')
    .describe('How long it is kept: 30d, 12h, never'),
  z.union([z.literal('never'), z.int().positive()]),
  {
    decode: (text) => (text === 'never' ? text : Duration.decode(text)),
    encode: (period) => (period === 'never' ? period : Duration.encode(period)),
  },
);

const ImagePattern = z
  .string()
  .regex(/^[\w.:/@*-]+$/, 'write the name of an image; * stands for anything')
  .describe('The name of an image; * stands for anything');

const Places = z.int().min(1).max(10_000);

/** `$SWITCHYARD_HOME/config.yaml`: this machine and user. The only file that names agents, their commands and their keys. */
export const MachineConfig = z.strictObject({
  agents: z.record(ConfigName, AgentEntry).default({}).describe('The agents of this machine by name'),
  defaults: z
    .strictObject({
      agent: z.string().describe('The agent of nodes that say `agent: default`').optional(),
      blueprint: z.string().default('pr').describe('The blueprint of `run` without --blueprint'),
      limits: WrittenLimits.default({}).describe('Bounds that nothing committed to a repository may exceed'),
    })
    .prefault({}),
  limits: z
    .strictObject({
      agents: Places.default(4).describe('Agents at work at once'),
      perRepository: Places.default(4).describe('Agents at work at once in one repository'),
      perProvider: z
        .record(z.string(), Places)
        .default({})
        .describe('Agents at work at once, by provider: an agent’s name, its kind, or the host of its endpoint'),
      perPerson: Places.describe(
        'Agents at work at once for one person; without it, as many as there is place for',
      ).optional(),
    })
    .prefault({}),
  retention: z
    .strictObject({
      trash: Retention.default('never').describe('When the commits of discarded runs go for good: 30d, or never'),
      transcripts: Retention.default('never').describe(
        'When the words and tool calls of agents go, after a run has ended',
      ),
      runs: Retention.default('never').describe('When ended runs go with journal and commits, merged or not'),
      workspaces: Retention.default('never').describe(
        'When the workspaces of ended runs go, with what no step has taken in; their commits stay in the git store',
      ),
    })
    .prefault({}),
  reads: z
    .array(z.string().min(1))
    .default([])
    .describe('Files and folders of this machine that programs within walls may read, such as ~/.rustup'),
  privateHosts: z
    .array(z.string().regex(/^[^\s/]+:\d{1,5}$/, 'write a host with its port, as 10.0.0.5:8080'))
    .default([])
    .describe('Hosts in private networks that runs may reach where they name them: HOST:PORT'),
  workspaces: z
    .strictObject({
      provider: WorkspaceProviderKind.describe(
        'How workspaces are made; without it, the quickest that this machine can do',
      ).optional(),
      pool: z.int().min(0).max(1000).default(0).describe('Workspaces that are held ready for each repository in use'),
    })
    .prefault({}),
  container: z
    .strictObject({
      image: z.string().min(1).describe('What programs of the level container run in').optional(),
      engine: z.enum(['podman', 'docker']).describe('Without it, the first that works').optional(),
      devcontainer: z
        .strictObject({
          images: z
            .array(ImagePattern)
            .default([])
            .describe(
              'Images that a repository’s .devcontainer may name and build on, such as mcr.microsoft.com/devcontainers/*; what is missing is pulled',
            ),
          build: z
            .enum(['never', 'offline', 'online'])
            .default('never')
            .describe('Whether its Dockerfile is built: never, without a network, or with one'),
        })
        .prefault({}),
    })
    .prefault({}),
  resources: WrittenResources.default({}).describe(
    'What the processes of one run may use together, where the host can hold them to it',
  ),
  sandbox: SandboxLevel.describe('The walls round every run; without it, the strongest that the host has').optional(),
  secrets: z
    .strictObject({
      store: z
        .enum(['file', 'keyring'])
        .default('file')
        .describe('Where secrets are stored that are set from now on: secrets.json of SWITCHYARD_HOME, or the keyring'),
    })
    .prefault({}),
  prices: WrittenPrices.default({}),
  teams: WrittenTeams.default({}),
  budgets: WrittenBudgets.default([]),
});
export type MachineConfig = z.infer<typeof MachineConfig>;

/**
 * Reads the machine's configuration; without a text (no file) everything stands at its default. Paths of scripts, logins and
 * commands come out absolute: `~/` is the user's home, others are relative to the file. A bare command stays a name on PATH.
 */
export function loadMachineConfig(
  text: string | undefined,
  file: string,
  userHome: string = homedir(),
): Loaded<MachineConfig> {
  if (text === undefined) return { ok: true, value: MachineConfig.parse({}) };
  const loaded = loadYaml({ file, text }, MachineConfig, { rules });
  if (!loaded.ok) return loaded;
  const absolute = (path: string) =>
    path.startsWith('~/') ? join(userHome, path.slice(2)) : resolve(dirname(file), path);
  const agents = Object.entries(loaded.value.agents).map(
    ([name, entry]) => [name, withAbsolutePaths(entry, absolute)] as const,
  );
  const reads = loaded.value.reads.map(absolute);
  return { ok: true, value: { ...loaded.value, agents: Object.fromEntries(agents), reads } };
}

/** Words that blueprints use for an agent without naming one. */
const RESERVED: ReadonlySet<string> = new Set(['default', 'same']);

function rules(config: MachineConfig, document: SourceDocument): Problem[] {
  const names = Object.keys(config.agents);
  const problems = Object.entries(config.agents).flatMap(([name, entry]) => agentProblems(name, entry, document));
  problems.push(...accountingProblems(config, document));
  const { agent } = config.defaults;
  if (agent !== undefined && !names.includes(agent)) {
    problems.push(
      document.problem(['defaults', 'agent'], `there is no agent ${JSON.stringify(agent)}`, known(agent, names)),
    );
  }
  return problems;
}

function agentProblems(name: string, entry: AgentEntry, document: SourceDocument): Problem[] {
  const problems: Problem[] = [];
  const report = (field: string, message: string, hint?: string) =>
    problems.push(document.problem(['agents', name, field], `agent ${JSON.stringify(name)} ${message}`, hint));
  if (RESERVED.has(name))
    report('kind', 'has a name that blueprints use for no agent in particular', 'Choose another name.');
  if ((entry.kind === 'custom' || entry.kind === 'acp') && entry.command === undefined) {
    report('kind', `is of kind ${entry.kind} and needs a command`, 'command: [path/to/program, argument]');
  }
  if (entry.kind === 'scripted' && entry.script === undefined) {
    report('kind', 'is of kind scripted and needs a script', 'script: steps.yaml');
  }
  if (entry.kind !== 'scripted' && entry.script !== undefined)
    report('script', 'has a script, which only kind scripted reads');
  if (entry.kind !== 'custom' && entry.format !== undefined)
    report('format', 'has a format, which only kind custom reads');
  if (entry.login !== undefined && entry.endpoint?.key !== undefined) {
    report(
      'login',
      'has both a login and a key',
      'Keep one: `login` for a subscription, `endpoint.key` for an API key.',
    );
  }
  for (const { message, hint } of cloudProblems(entry)) report('endpoint', message, hint);
  return problems;
}

/** What does not go together where an agent's model is a cloud's. */
function cloudProblems({ endpoint, login }: AgentEntry): { message: string; hint: string }[] {
  const { cloud, api, key, spareKeys } = endpoint ?? {};
  if (cloud === undefined) return [];
  const problems: { message: string; hint: string }[] = [];
  if (api !== 'anthropic') {
    problems.push({
      message: `has a cloud with the protocol "${api}"`,
      hint: 'Write `api: anthropic` beside `cloud`.',
    });
  }
  if (login !== undefined) {
    problems.push({
      message: 'has both a login and a cloud',
      hint: 'Keep one: `login` for a subscription, `endpoint.cloud` for a cloud’s models.',
    });
  }
  if (cloud.kind === 'vertex' && (key ?? spareKeys) !== undefined) {
    problems.push({
      message: 'has a key for Vertex AI, which takes none',
      hint: 'Leave it out: Google’s application default credentials of this machine are used.',
    });
  } else if (key === undefined && spareKeys !== undefined) {
    problems.push({ message: 'has spare keys for a cloud without a key', hint: 'Write the first one as `key`.' });
  }
  if (cloud.kind === 'bedrock' && cloud.profile !== undefined && key !== undefined) {
    problems.push({
      message: 'has both a key and a profile for Bedrock',
      hint: 'Keep one: `endpoint.key` for an API key of Bedrock, `cloud.profile` for an identity of AWS.',
    });
  }
  return problems;
}

function withAbsolutePaths(entry: AgentEntry, absolute: (path: string) => string): AgentEntry {
  const [program, ...rest] = entry.command ?? [];
  return {
    ...entry,
    ...(program !== undefined && program.includes('/') && !isAbsolute(program)
      ? { command: [absolute(program), ...rest] }
      : {}),
    ...(entry.login === undefined ? {} : { login: absolute(entry.login) }),
    ...(entry.script === undefined ? {} : { script: absolute(entry.script) }),
  };
}
