import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentEntry } from '../../domain/agent-entry.ts';
import type { Blueprint } from '../../domain/blueprint.ts';
import type { ExposedLogin } from '../../domain/evidence.ts';
import type { Clock } from '../../lib/clock.ts';
import { noCrashPoint } from '../../lib/crash-point.ts';
import { redactNothing } from '../../lib/redact.ts';
import type { AgentAdapter, AgentTurn } from '../../ports/agent.ts';
import { agentEventLines } from '../../ports/agent-event-lines.ts';
import type { EarlierVerdict, StepContext } from '../../ports/node.ts';
import type { Workspace } from '../../ports/workspace.ts';
import { plainSandbox } from '../../testing/plain-sandbox.ts';
import { AgentFields } from './schema.ts';
import type { Agent } from './turns.ts';

// Whole steps of an agent whose turns are shell scripts, for the tests of what the harness says to an agent. The sandbox, the checks and
// the files are real; the run, its journal and its commits live in memory.

export interface Step {
  readonly context: StepContext;
  /** What the agent was told, turn by turn. */
  readonly turns: readonly AgentTurn[];
  /** What the journal was told by `say`. */
  readonly said: readonly string[];
  /** After how many turns the work was saved. */
  readonly saved: readonly number[];
}

export interface StepRequest {
  readonly folder: string;
  readonly clock: Clock;
  /** A script for each turn; the last one is played again for all that follow. */
  readonly scripts?: readonly (readonly string[])[];
  /** In place of the scripts. */
  readonly agent?: Agent;
  readonly hostEnv?: Readonly<Record<string, string | undefined>>;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly checks?: StepContext['checks'];
  /** Where the outcome `stalled` leads. */
  readonly stalled?: string;
  readonly signal?: AbortSignal;
}

export async function step(request: StepRequest): Promise<Step> {
  const { folder, clock, scripts = [], fields = {}, checks = [], stalled } = request;
  const turns: AgentTurn[] = [];
  const said: string[] = [];
  const saved: number[] = [];
  const verdicts: EarlierVerdict[] = [];
  const exposed: ExposedLogin[] = [];
  const workspace = await workspaceIn(folder);
  const agent = request.agent ?? {
    name: 'sh',
    entry: AgentEntry.parse({ kind: 'custom' }),
    adapter: scripted(scripts, turns),
  };
  const on = stalled === undefined ? {} : { stalled };
  const context: StepContext = {
    run: {
      id: 'run1',
      slug: 'fix-it',
      base: { ref: 'main', commit: workspace.head },
      target: 'main',
      head: workspace.head,
      requester: 'ada',
      push: false,
      delivered: null,
    },
    task: { title: 'Fix it', body: 'Fix it well.', links: [] } as unknown as StepContext['task'],
    blueprint: { prompts: {}, nodes: { implement: { on } } } as unknown as Blueprint,
    step: {
      node: 'implement',
      n: 1,
      attempt: 1,
      fields: AgentFields.parse({ agent: 'default', ...fields }),
      with: {},
      followUp: false,
    },
    limits: {
      silenceMs: 60_000,
      wallMs: 3_600_000,
      repeats: 5,
      turns: { used: 0, max: 60 },
      tokens: undefined,
      cost: undefined,
    },
    signal: request.signal ?? new AbortController().signal,
    clock,
    crashPoint: noCrashPoint,
    sandbox: plainSandbox(),
    commandEnv: { PATH: process.env['PATH'] ?? '' },
    secrets: async () => ({}),
    redact: redactNothing,
    workspace: async () => workspace,
    save: async () => void saved.push(turns.length),
    commitText: (message = '') => ({ message, identity: { name: 'Ada', email: 'ada@example.com' }, trailers: {} }),
    checks,
    agents: {
      resolve: () => agent,
      sandbox: () => plainSandbox(),
      model: async () => undefined,
      session: async () => undefined,
      interrupted: async () => undefined,
      remember: async () => undefined,
      count: async () => undefined,
      hostEnv: request.hostEnv ?? {},
    },
    messages: {
      take: async () => [],
      heard: async () => undefined,
      urgent: (signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(false), { once: true });
        }),
    },
    forge: undefined as unknown as StepContext['forge'],
    git: { treeOf: async (commit: string) => `tree-${commit}` } as StepContext['git'],
    emit: async () => undefined,
    say: async (_, text) => void said.push(text),
    sayOnce: async (_, text) => void said.push(text),
    summary: async () => 'A summary.',
    recordEvidence: async (evidence) => {
      for (const verdict of verdicts.splice(0)) verdicts.push({ ...verdict, workedSince: true });
      verdicts.push({ ...evidence, at: clock.now(), workedSince: false });
    },
    recordExposed: async (login) => void exposed.push(login),
    exposed: async () => exposed,
    verdicts: async () => verdicts,
    passedChecks: async () => [],
    headAfter: async () => undefined,
  };
  return { context, turns, said, saved };
}

function scripted(scripts: readonly (readonly string[])[], turns: AgentTurn[]): AgentAdapter {
  return {
    kind: 'test',
    sessionFiles: [],
    describe: () => 'a shell script',
    command: async (turn) => {
      turns.push(turn);
      const script = scripts[turns.length - 1] ?? scripts.at(-1) ?? [];
      return { argv: ['sh', '-c', script.join('\n')], env: { PATH: process.env['PATH'] ?? '' } };
    },
    parser: () => agentEventLines(),
  };
}

/** A folder whose head is a hash of the files in it. */
async function workspaceIn(folder: string): Promise<Workspace> {
  const files = join(folder, 'files');
  await mkdir(files);
  let head = await contentHash(files);
  const workspace = {
    folder: files,
    homes: join(folder, 'homes'),
    get head() {
      return head;
    },
    async collect() {
      const before = head;
      head = await contentHash(files);
      return { head, changed: head !== before, notes: [] };
    },
    restore: async () => [],
    changedSince: async () => (await readdir(files)).sort(),
  };
  return workspace as unknown as Workspace;
}

async function contentHash(folder: string): Promise<string> {
  const hash = createHash('sha1');
  for (const name of (await readdir(folder)).sort())
    hash.update(`${name}\0`).update(await readFile(join(folder, name)));
  return hash.digest('hex');
}
