import { createHash } from 'node:crypto';
import { z } from 'zod';
import { loadBlueprint } from '../blueprint/load.ts';
import type { Blueprint } from '../domain/blueprint.ts';
import type { Event } from '../domain/event.ts';
import { defineNodeKind } from '../domain/node-kind.ts';
import type { RunState, RunStateKind } from '../domain/run.ts';
import type { RunSettings } from '../domain/settings.ts';
import type { Engine, FleetLimits } from '../engine/engine.ts';
import type { Host } from '../engine/host.ts';
import { type NewRunFacts, startRun } from '../engine/start-run.ts';
import { Worker } from '../engine/worker.ts';
import { systemClock } from '../lib/clock.ts';
import { type CrashPoint, noCrashPoint } from '../lib/crash-point.ts';
import { randomIds } from '../lib/ids.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { approvalNode } from '../nodes/approval/index.ts';
import type { Forge } from '../ports/forge.ts';
import type { NodeKind, StepContext, StepResult } from '../ports/node.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { readEvents } from '../store/events.ts';
import { migrate } from '../store/migrate.ts';
import { openQueue } from '../store/queue.ts';
import type { RunRow, StepRow } from '../store/rows.ts';
import { getRun } from '../store/runs.ts';
import { stepsOf } from '../store/steps.ts';
import { type GitStore, runRef, trashRef } from '../workspaces/git-store.ts';
import type { Workspaces } from '../workspaces/workspaces.ts';
import { createTestDatabase } from './test-database.ts';

/**
 * The engine over a real database, with workers whose steps do what the test says. Git, forge and workspaces are fakes that live in
 * memory and are shared by all workers, as the real ones are shared by those of one machine.
 */
export interface EngineFixture extends AsyncDisposable {
  readonly url: string;
  /** For commands; nothing is worked on through it. */
  readonly engine: Engine;
  /** Taken as they stand by every engine of this fixture. */
  limits: FleetLimits;
  readonly script: Script;
  readonly store: FakeStore;
  readonly forge: FakeForge;
  readonly workspaces: FakeWorkspaces;
  /** Starts a worker with an engine of its own, as a process of its own would have. */
  worker(name?: string, options?: WorkerOptions): Promise<TestWorker>;
  blueprint(text: string, blueprints?: Readonly<Record<string, string>>): Blueprint;
  start(blueprint: string, facts?: StartFacts): Promise<string>;
  run(id: string): Promise<RunRow>;
  steps(id: string): Promise<StepRow[]>;
  events(id: string): Promise<Event[]>;
  /** Makes it so long ago that anything was heard of a worker that others take over from it. */
  silence(worker: TestWorker): Promise<void>;
  /** Waits until the run is in one of these states. */
  reaches<Kind extends RunStateKind>(id: string, ...kinds: readonly Kind[]): Promise<Extract<RunState, { kind: Kind }>>;
}

export type FakeStore = GitStore & { readonly refs: Map<string, string> };
export type FakeForge = Forge & { readonly branches: Map<string, string> };
export type FakeWorkspaces = Workspaces & {
  /** `open RUN`, `remove RUN`, in order. */
  readonly did: string[];
  /** Called in the middle of each removal. */
  whileRemoving: (run: string) => Promise<void>;
};

export interface StartFacts extends Partial<Pick<NewRunFacts, 'id' | 'slug' | 'target' | 'notes'>> {
  readonly repository?: string;
  readonly priority?: number;
  readonly settings?: Partial<RunSettings>;
}

export interface WorkerOptions {
  readonly crashPoint?: CrashPoint;
}

export interface TestWorker extends AsyncDisposable {
  readonly name: string;
  readonly worker: Worker;
  readonly engine: Engine;
  readonly host: Host;
  /** What the worker has told its log. */
  readonly log: readonly string[];
  /** From here on the database hears nothing of it and it nothing of the database, as if its process stood still. */
  freeze(): void;
  thaw(): void;
  /** How many statements it has sent. */
  readonly statements: { count: number };
}

export type Behaviour = (context: StepContext) => Promise<StepResult>;

/** What the steps of each node do: the first behaviour for the first step, and so on; the last one for all that follow. */
export interface Script {
  on(node: string, ...behaviours: readonly Behaviour[]): void;
  /** Forgets all behaviours: steps end in the main outcome of their kind. */
  clear(): void;
  /** Attempts in the order in which they began. */
  readonly calls: readonly {
    readonly run: string;
    readonly node: string;
    readonly n: number;
    readonly attempt: number;
    readonly worker: string;
  }[];
}

export const outcome =
  (name: string, more: Partial<Extract<StepResult, { kind: 'outcome' }>> = {}): Behaviour =>
  async () => ({ ...more, kind: 'outcome', outcome: name });

/** Ends when it is told to stop, and not before. */
export const hang: Behaviour = ({ signal }) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    if (signal.aborted) reject(signal.reason as Error);
  });

/** Steps wait at it until it is opened, whatever their signal says. */
export interface Gate {
  readonly behaviour: Behaviour;
  /** How many have come to it. */
  readonly arrived: number;
  open(result?: StepResult): void;
}

export function gate(result: StepResult = { kind: 'outcome', outcome: 'done' }): Gate {
  const opened = Promise.withResolvers<StepResult>();
  let arrived = 0;
  return {
    behaviour: () => {
      arrived += 1;
      return opened.promise;
    },
    get arrived() {
      return arrived;
    },
    open: (given = result) => opened.resolve(given),
  };
}

/** With a `url`, over that database, which is empty, in place of one of its own. */
export async function engineFixture(limits: Partial<FleetLimits> = {}, url?: string): Promise<EngineFixture> {
  const place = url === undefined ? await createTestDatabase() : { url, [Symbol.asyncDispose]: async () => undefined };
  const database = openDatabase(place.url, { clock: systemClock });
  await migrate(database);
  const script = scripts();
  const kinds = scriptedKinds(script);
  const store = fakeGitStore();
  const forge = fakeForge();
  const workspaces = fakeWorkspaces();
  const workers: TestWorker[] = [];
  const engineOf = async (own: Database, crashPoint: CrashPoint): Promise<Engine & AsyncDisposable> => {
    const queue = await openQueue(own, () => undefined);
    const made = { database: own, queue, clock: systemClock, ids: randomIds, kinds, crashPoint };
    return {
      ...made,
      get limits() {
        return fixture.limits;
      },
      [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
    };
  };
  const engine = await engineOf(database, noCrashPoint);

  const fixture: EngineFixture = {
    url: place.url,
    engine,
    limits: { agents: 100, perRepository: 100, perProvider: {}, others: 100, ...limits },
    script,
    store,
    forge,
    workspaces,
    async worker(name = 'w1', { crashPoint = noCrashPoint } = {}) {
      const own = freezable(openDatabase(place.url, { clock: systemClock }));
      const ownEngine = await engineOf(own.database, crashPoint);
      const host = fakeHost(name, fixture);
      const log: string[] = [];
      const worker = new Worker(ownEngine, host, (text, error) => log.push(`${text}: ${String(error)}`));
      await worker.start({ machine: 'here', pid: process.pid, version: 'test' });
      let disposed: Promise<void> | undefined;
      const dispose = async () => {
        own.thaw();
        await worker[Symbol.asyncDispose]();
        await ownEngine[Symbol.asyncDispose]();
        await own.database[Symbol.asyncDispose]();
      };
      const started: TestWorker = {
        name,
        worker,
        engine: ownEngine,
        host,
        log,
        freeze: own.freeze,
        thaw: own.thaw,
        statements: own.statements,
        [Symbol.asyncDispose]: () => (disposed ??= dispose()),
      };
      workers.push(started);
      return started;
    },
    blueprint: (text, blueprints = {}) => blueprintOf(text, kinds, blueprints),
    async start(text, { repository = 'repo', priority = 0, settings = {}, ...facts } = {}) {
      const id = facts.id ?? randomIds();
      const blueprint = blueprintOf(text, kinds, {});
      await startRun(engine, {
        id,
        slug: 'fix-it',
        target: 'main',
        actor: { kind: 'person', name: 'ada' },
        notes: [],
        ...facts,
        task: {
          id: `task-${id}`,
          title: 'Fix it',
          body: 'Fix it.',
          links: [],
          attachments: [],
          labels: [],
          dependencies: [],
          origin: null,
          repositories: [{ repository, baseRef: 'main' }],
          priority,
          requester: 'ada',
        },
        repository: { id: repository, path: `/${repository}` },
        blueprint,
        settings: { ...SETTINGS, ...settings, limits: { ...blueprint.limits, ...settings.limits } },
        base: { ref: 'main', commit: BASE },
      });
      return id;
    },
    run: (id) => getRun(database, id),
    steps: (id) => stepsOf(database, id),
    async events(id) {
      const all: Event[] = [];
      for (;;) {
        const more = await readEvents(database, id, (all.at(-1)?.seq ?? 0) + 1);
        if (more.length === 0) return all;
        all.push(...more);
      }
    },
    async silence({ name }) {
      await database.query(`update worker set heartbeat_at = now() - interval '1 minute' where id = $1`, [name]);
      await database.query(
        `update pgboss.job set heartbeat_on = now() - interval '1 minute' where state = 'active'
           and id in (select job from step where worker = $1)`,
        [name],
      );
    },
    async reaches<Kind extends RunStateKind>(id: string, ...wanted: readonly Kind[]) {
      let last: RunState | undefined;
      try {
        return await waitUntil(
          async () => {
            last = (await getRun(database, id)).state;
            return isOneOf(last, wanted) ? last : undefined;
          },
          { timeoutMs: 20_000, what: `run ${id} to be ${wanted.join(' or ')}` },
        );
      } catch (error) {
        throw new Error(`run ${id} is ${JSON.stringify(last)}`, { cause: error });
      }
    },
    async [Symbol.asyncDispose]() {
      for (const worker of workers) await worker[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
  return fixture;
}

function isOneOf<Kind extends RunStateKind>(
  state: RunState,
  kinds: readonly Kind[],
): state is Extract<RunState, { kind: Kind }> {
  return kinds.some((kind) => kind === state.kind);
}

export const BASE = commitId('base');

/** A commit id that is the same for the same text. */
export function commitId(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

const SETTINGS: RunSettings = {
  agent: 'codex',
  checks: [],
  setup: null,
  copy: [],
  carry: [],
  limits: {},
  sandbox: 'none',
  checkout: null,
  push: false,
  yes: false,
  identity: { name: 'Ada', email: 'ada@example.com' },
};

function blueprintOf(
  text: string,
  kinds: ReadonlyMap<string, NodeKind>,
  blueprints: Readonly<Record<string, string>>,
): Blueprint {
  const result = loadBlueprint(
    { file: 'test.yaml', text },
    {
      kinds: new Map([...kinds].map(([name, kind]) => [name, kind.descriptor])),
      readPrompt: (name) => `The text of ${name}.`,
      readBlueprint: (name) =>
        blueprints[name] === undefined ? undefined : { file: `${name}.yaml`, text: blueprints[name] },
    },
  );
  if (!result.ok) throw new Error(result.problems.map(({ line, message }) => `${line}: ${message}`).join('\n'));
  return result.blueprint;
}

function scripts(): Script & {
  behaviour(node: string, n: number): Behaviour | undefined;
  called(call: Script['calls'][number]): void;
} {
  const behaviours = new Map<string, readonly Behaviour[]>();
  const calls: Script['calls'][number][] = [];
  return {
    calls,
    on: (node, ...given) => void behaviours.set(node, given),
    clear: () => behaviours.clear(),
    behaviour: (node, n) => behaviours.get(node)?.[n - 1] ?? behaviours.get(node)?.at(-1),
    called: (call) => void calls.push(call),
  };
}

/** The kinds that the engine's tests need: an agent, a command, a delivery, and the real approval. */
function scriptedKinds(script: ReturnType<typeof scripts>): ReadonlyMap<string, NodeKind> {
  const execute =
    (main: string) =>
    async (context: StepContext): Promise<StepResult> => {
      const { node, n, attempt } = context.step;
      script.called({ run: context.run.id, node, n, attempt, worker: context.agents.hostEnv['WORKER'] ?? '' });
      return (script.behaviour(node, n) ?? outcome(main))(context);
    };
  const kinds: NodeKind[] = [
    {
      descriptor: defineNodeKind({
        kind: 'agent',
        fields: z.object({ agent: z.string(), session: z.string().optional() }),
        outcomes: ['done', 'unchanged'],
        outputs: ['summary'],
      }),
      mode: 'execute',
      agentic: true,
      execute: execute('done'),
    },
    {
      descriptor: defineNodeKind({
        kind: 'command',
        fields: z.object({ command: z.string() }),
        outcomes: ['pass', 'fail'],
        outputs: ['report'],
      }),
      mode: 'execute',
      agentic: false,
      execute: execute('pass'),
    },
    {
      descriptor: defineNodeKind({
        kind: 'deliver',
        fields: z.object({
          deliver: z.enum(['branch', 'merge']),
          to: z.string().optional(),
          push: z.boolean().optional(),
        }),
        outcomes: ({ deliver }) => [deliver === 'merge' ? 'merged' : 'delivered'],
        universal: ['conflict', 'rejected'],
        outputs: ['commit'],
      }),
      mode: 'execute',
      agentic: false,
      execute: (context) => execute(context.step.fields['deliver'] === 'merge' ? 'merged' : 'delivered')(context),
    },
    approvalNode,
  ];
  return new Map(kinds.map((kind) => [kind.descriptor.kind, kind]));
}

function fakeHost(name: string, { store, forge, workspaces }: EngineFixture): Host {
  return {
    worker: name,
    workspaces,
    openStore: async () => store,
    forge: () => forge,
    sandbox: async (level) => ({
      level,
      mechanism: 'none',
      guarantees: [],
      warnings: [],
      spawn: () => Promise.reject(new Error('nothing is started in the engine’s tests')),
    }),
    remains: { clear: async () => true },
    agents: { refresh: async () => undefined, entry: () => undefined, adapter: () => undefined, sessionFiles: [] },
    env: { WORKER: name, PATH: '/bin' },
  };
}

/** A database whose user can be made to stand still: nothing that it asks is asked, nothing that it is told is heard. */
function freezable(inner: Database): {
  database: Database;
  freeze(): void;
  thaw(): void;
  statements: { count: number };
} {
  let warm: PromiseWithResolvers<void> | undefined;
  const statements = { count: 0 };
  const counting = (queries: { query: Database['query'] }): Pick<Database, 'query'> => ({
    async query(text, values) {
      statements.count += 1;
      await warm?.promise;
      const rows = await queries.query<never>(text, values);
      await warm?.promise;
      return rows;
    },
  });
  return {
    statements,
    database: {
      url: inner.url,
      ...counting(inner),
      transaction: (work) => inner.transaction((queries) => work(counting(queries))),
      listen: (channels, onMessage) =>
        inner.listen(channels, (message) => (warm === undefined ? onMessage(message) : undefined)),
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    },
    freeze: () => void (warm ??= Promise.withResolvers()),
    thaw() {
      warm?.resolve();
      warm = undefined;
    },
  };
}

/** Refs without objects. */
function fakeGitStore(): FakeStore {
  const refs = new Map<string, string>();
  const below = (prefix: string) =>
    [...refs].filter(([ref]) => ref.startsWith(prefix)).map(([ref, commit]) => ({ ref, commit }));
  const move = (from: string, to: string) => {
    for (const { ref, commit } of below(from)) {
      refs.delete(ref);
      refs.set(`${to}${ref.slice(from.length)}`, commit);
    }
    return below(to);
  };
  const may = (ref: string, expected: string | null | undefined) =>
    expected === undefined || (refs.get(ref) ?? null) === expected;
  return {
    refs,
    id: 'repo-00000000',
    path: '/store.git',
    repository: '/repo/.git',
    fetchCommit: async (commit) => commit,
    resolve: async (ref) => refs.get(ref),
    async keep(ref, commit, expected) {
      if (!may(ref, expected)) return refs.get(ref) === commit;
      refs.set(ref, commit);
      return true;
    },
    drop: async (ref, expected) => may(ref, expected) && (refs.delete(ref) || true),
    list: async (prefix) => below(prefix),
    moveToTrash: async (run) => move(runRef(run, ''), trashRef(run, '')),
    restoreFromTrash: async (run) => move(trashRef(run, ''), runRef(run, '')),
  };
}

function fakeForge(): FakeForge {
  const branches = new Map<string, string>([['main', BASE]]);
  return {
    branches,
    kind: 'fake',
    branch: async (name) => branches.get(name),
    async publish({ branch, commit, expected }) {
      const actual = branches.get(branch);
      if (actual !== commit && actual !== expected) return { kind: 'moved', actual };
      branches.set(branch, commit);
      return { kind: 'published' };
    },
    async unpublish({ branch, expected }) {
      if (branches.get(branch) !== expected) return false;
      return branches.delete(branch);
    },
    async move({ branch, from, to }) {
      const actual = branches.get(branch);
      if (actual !== from && actual !== to) return { kind: 'target-moved', actual };
      branches.set(branch, to);
      return { kind: 'moved' };
    },
    push: async () => ({ kind: 'pushed' }),
  };
}

/** Workspaces without files. Each has changed since it was opened, as often as it is asked to collect. */
function fakeWorkspaces(): FakeWorkspaces {
  const there = new Set<string>();
  const did: string[] = [];
  const fake: FakeWorkspaces = {
    did,
    whileRemoving: async () => undefined,
    async open({ run, step, attempt, head: given }) {
      did.push(`open ${run}`);
      const fresh = !there.has(run);
      there.add(run);
      let head = given;
      let commits = 0;
      const workspace = {
        folder: `/workspaces/${run}`,
        homes: `/homes/${run}`,
        get head() {
          return head;
        },
        async collect() {
          head = commitId(`${run} ${step} ${attempt} ${++commits}`);
          return { head, changed: true, notes: [] };
        },
        checkpoint: async () => commitId(`checkpoint ${run} ${step} ${attempt}`),
        async reset(commit: string) {
          head = commit;
        },
        restore: async () => [],
        changedSince: async () => [],
      };
      return { workspace, fresh, notes: [] };
    },
    async remove(run) {
      did.push(`remove ${run}`);
      await fake.whileRemoving(run);
      there.delete(run);
    },
    list: async () => [...there].sort(),
  };
  return fake;
}
