/**
 * Which folder of `src/` may import which. `lib` and `domain` are free to all; what no row allows comes in as a value, handed down by
 * `daemon`. ARCHITECTURE.md shows the same table. npm packages are free where docs/decisions/dependencies.md names them.
 */
export interface Row {
  /** Below `src/`; `*` stands for one folder, which is then a unit of its own: `nodes/check` may not import `nodes/agent`. */
  readonly folder: string;
  readonly may: readonly string[];
  /** `may` in the words of ARCHITECTURE.md. */
  readonly text: string;
}

export const FREE: readonly string[] = ['lib', 'domain'];

const PURE: readonly string[] = ['api', 'blueprint', 'policy', 'merge-queue/plan', 'ports'];
const PARTS: readonly string[] = ['config', 'store', 'context', 'checks', 'evidence', 'gateway', 'mcp', 'secrets'];
const PLACES: readonly string[] = ['workspaces', 'previews'];
const BELOW_ENGINE: readonly string[] = [...PURE, ...PARTS, ...PLACES, 'nodes'];
const BELOW_OPERATIONS: readonly string[] = [...BELOW_ENGINE, 'engine', 'merge-queue', 'patrols'];

const rows = (folders: readonly string[], may: readonly string[], text: string): Row[] =>
  folders.map((folder) => ({ folder, may, text }));

export const IMPORT_TABLE: readonly Row[] = [
  ...rows(['lib'], [], 'nothing, not even domain'),
  ...rows(['domain'], [], 'nothing'),
  ...rows(PURE, [], 'nothing'),
  ...rows(PARTS, ['ports', 'blueprint', 'policy'], 'ports, blueprint, policy'),
  ...rows(PLACES, ['ports', 'config', 'store'], 'ports, config, store'),
  ...rows(
    ['nodes/*'],
    ['ports', 'blueprint', 'policy', 'context', 'checks', 'evidence', 'workspaces', 'previews', 'config'],
    'ports, blueprint, policy, context, checks, evidence, workspaces, previews, config',
  ),
  ...rows(['engine', 'merge-queue', 'patrols'], BELOW_ENGINE, 'all above, not each other'),
  ...rows(['operations'], BELOW_OPERATIONS, 'all above'),
  ...rows(['adapters/*/*'], ['ports'], 'ports, never another adapter'),
  ...rows(['server'], ['operations', 'api'], 'operations, api'),
  ...rows(['daemon'], [...BELOW_OPERATIONS, 'operations', 'adapters', 'server'], 'everything but cli and tui'),
  ...rows(['cli', 'tui'], ['api'], 'api'),
  ...rows(['plugin.ts'], ['ports'], 'ports'),
  ...rows(
    ['testing'],
    [
      'ports',
      'adapters/agents/scripted',
      'adapters/forges/local',
      'adapters/sandboxes/none',
      'adapters/workspaces/copy',
      'adapters/workspaces/overlay',
      'adapters/workspaces/reflink',
    ],
    'ports, and the adapters that serve as fakes',
  ),
];

/** Files that may more than their row says. */
export interface Grant {
  readonly file: string;
  readonly may: readonly string[];
  readonly why: string;
}

export const GRANTS: readonly Grant[] = [
  { file: 'cli/commands/server.ts', may: ['daemon'], why: 'it becomes the daemon' },
  { file: 'cli/commands/worker.ts', may: ['daemon'], why: 'it becomes a worker' },
  {
    file: 'cli/commands/doctor.ts',
    may: ['daemon'],
    why: 'it examines what a daemon would use, also where none can start',
  },
  { file: 'testing/agent-contract/conversation.ts', may: ['nodes/agent'], why: 'it drives turns as a run does' },
  {
    file: 'cli/commands/backup.ts',
    may: ['daemon'],
    why: 'it writes as the person who asks, and restores where no daemon runs',
  },
  { file: 'cli/commands/verify.ts', may: ['evidence'], why: 'it verifies offline' },
  { file: 'cli/commands/simulate.ts', may: ['merge-queue/plan'], why: 'it plays the pure planner' },
];

/** What a test beside the code may import besides what its folder may; what spans more folders belongs into `test/`, which may all. */
export const TESTS_MAY: readonly string[] = ['testing'];

/** Places where something is allowed that is not allowed elsewhere. A path that ends in a slash is a folder, another one a beginning of names. */
export interface Place {
  readonly path: string;
  readonly why: string;
}

export const CHILD_PROCESS_PLACES: readonly Place[] = [
  { path: 'src/lib/exec/', why: 'the home of starting and ending programs' },
  { path: 'src/lib/postgres-supervisor/', why: 'a database server that outlives the process that started it' },
  { path: 'src/lib/processes', why: 'looking at processes that are not our children' },
  { path: 'src/cli/start-daemon.ts', why: 'a daemon that outlives the command, with its log as output' },
  { path: 'src/adapters/agents/scripted/play.ts', why: 'a program of its own, which itself runs within the sandbox' },
];

export const ENVIRONMENT_PLACES: readonly Place[] = [
  { path: 'src/cli/', why: 'the process of a command belongs to it' },
  { path: 'src/daemon/', why: 'the process of the daemon belongs to it' },
  { path: 'src/lib/', why: 'what programs are started with' },
  {
    path: 'src/adapters/agents/scripted/play.ts',
    why: 'a program of its own: it takes out what was meant for its own start only',
  },
];

/** Dynamic imports of a module that the source does not name. */
export const UNNAMED_IMPORT_PLACES: readonly Place[] = [
  {
    path: 'src/testing/sandbox-contract/harness.ts',
    why: 'it is told on its command line which adapter is under test',
  },
];

export const BARRELS: readonly string[] = ['src/plugin.ts', 'src/testing/index.ts'];

export const MOST_LINES = { source: 400, test: 600 } as const;

/** Fewer would mean that the test no longer sees what it judges. */
export const FLOOR = { sources: 250, tests: 30, imports: 1200 } as const;
