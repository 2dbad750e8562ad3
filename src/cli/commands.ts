import { SandboxLevel } from '../domain/sandbox.ts';
import { type CommandSpec, JSON_OPTION, SERVER_OPTION } from './command-spec.ts';

const RUN = { name: '<run>', text: 'id, unique beginning of an id, slug, or @last', complete: 'run' } as const;
const COMMON = [JSON_OPTION, SERVER_OPTION] as const;
const TEST_MODE = { flags: '--test-mode', text: 'honour SWITCHYARD_CRASH_POINT' } as const;

const WORK = 'Work:';
const RUNS = 'Runs:';
const SETUP = 'Setup:';

/** Every command, in the order of plain help. A command that does not work yet is not here. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    words: 'init',
    group: WORK,
    summary: 'write .switchyard/config.yaml for this repository',
    options: [
      { flags: '--dry-run', text: 'show the file without writing it' },
      { flags: '--force', text: 'replace a file that is there' },
      ...COMMON,
    ],
    load: async () => (await import('./commands/init.ts')).init,
  },
  {
    words: 'run',
    group: WORK,
    summary: 'start a run for a task and follow it',
    text: 'Ctrl-C asks whether to leave the run at work or to cancel it.',
    arguments: [{ name: '[task]', text: 'what is asked, in quotes; - reads it from standard input' }],
    options: [
      { flags: '--file <path>', text: 'read the task from a file', complete: 'file' },
      { flags: '--blueprint <name>', text: 'how to work (default: pr)', complete: 'blueprint' },
      { flags: '--agent <name>', text: 'which of the configured agents' },
      { flags: '--base <ref>', text: 'branch or commit to begin from (default: what is checked out)' },
      {
        flags: '--limit <name=value>',
        text: 'bound this run, for instance wall=30m or cost="2 USD"; repeatable',
        many: true,
      },
      { flags: '--sandbox <level>', text: 'how strong the walls are', choices: SandboxLevel.options },
      { flags: '--include-dirty', text: 'take along what is not committed' },
      { flags: '--yes', text: 'answer "approved" wherever that is offered' },
      { flags: '--detach', text: 'return as soon as the run is accepted' },
      ...COMMON,
    ],
    examples: [
      'switchyard run "Make the totals round to cents"',
      'switchyard run --file task.md --blueprint minion --detach',
    ],
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
    words: 'ls',
    group: WORK,
    summary: "list this repository's runs",
    options: [{ flags: '--all', text: 'of all repositories, discarded ones too' }, ...COMMON],
    load: async () => (await import('./commands/ls.ts')).ls,
  },
  {
    words: 'show',
    group: WORK,
    summary: 'show one run: state, steps, limits',
    arguments: [RUN],
    options: COMMON,
    load: async () => (await import('./commands/show.ts')).show,
  },
  {
    words: 'diff',
    group: WORK,
    summary: 'show what a run changed',
    arguments: [RUN],
    options: [{ flags: '--stat', text: 'only the files and how much' }, ...COMMON],
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  {
    words: 'approve',
    group: WORK,
    summary: 'answer a run that waits for a person',
    arguments: [RUN],
    options: [
      {
        flags: '--choice <name>',
        text: 'another answer than "approved"',
        complete: ['approved', 'changes', 'retry', 'abandoned'],
      },
      { flags: '--note <text>', text: 'what the run should know' },
      { flags: '--head <commit>', text: 'the commit that you looked at; refused when it has moved' },
      ...COMMON,
    ],
    load: async () => (await import('./commands/approve.ts')).approve,
  },
  {
    words: 'merge',
    group: WORK,
    summary: "merge a run's result and wait for the outcome",
    arguments: [RUN],
    options: [
      { flags: '--to <branch>', text: 'another branch than the one that the run began from' },
      { flags: '--push', text: 'push the branch afterwards' },
      ...COMMON,
    ],
    load: async () => (await import('./commands/merge.ts')).merge,
  },
  {
    words: 'cancel',
    group: WORK,
    summary: 'stop a run; its work is kept',
    arguments: [RUN],
    options: COMMON,
    load: async () => (await import('./commands/cancel.ts')).cancel,
  },
  {
    words: 'logs',
    group: RUNS,
    summary: 'show what happened in a run, with the words of its agents',
    arguments: [RUN],
    options: [
      { flags: '-f, --follow', text: 'go on until the run ends or waits' },
      { flags: '--step <node#n>', text: 'only one step, for instance fix-lint#2' },
      ...COMMON,
    ],
    load: async () => (await import('./commands/logs.ts')).logs,
  },
  {
    words: 'why',
    group: RUNS,
    summary: 'say why a run is where it is and what it needs',
    arguments: [RUN],
    options: COMMON,
    load: async () => (await import('./commands/why.ts')).why,
  },
  {
    words: 'discard',
    group: RUNS,
    summary: 'put a run away; restore brings it back',
    arguments: [RUN],
    options: [{ flags: '--yes', text: 'do not ask' }, { flags: '--dry-run', text: 'say what would happen' }, ...COMMON],
    load: async () => (await import('./commands/discard.ts')).discard,
  },
  {
    words: 'restore',
    group: RUNS,
    summary: 'bring a discarded run back',
    arguments: [RUN],
    options: COMMON,
    load: async () => (await import('./commands/restore.ts')).restore,
  },
  {
    words: 'blueprint ls',
    group: SETUP,
    summary: 'list the ways of working',
    options: COMMON,
    load: async () => (await import('./commands/blueprint.ts')).blueprintLs,
  },
  {
    words: 'blueprint show',
    summary: 'draw a blueprint and show its text',
    arguments: [{ name: '<name>', text: 'name of a blueprint', complete: 'blueprint' }],
    options: COMMON,
    load: async () => (await import('./commands/blueprint.ts')).blueprintShow,
  },
  {
    words: 'blueprint check',
    summary: "list a blueprint's problems, each at its line",
    arguments: [{ name: '<file>', text: 'a blueprint', complete: 'file' }],
    options: COMMON,
    load: async () => (await import('./commands/blueprint.ts')).blueprintCheck,
  },
  {
    words: 'server up',
    group: SETUP,
    summary: 'start the daemon (commands start it when they need it)',
    options: [TEST_MODE, { flags: '--foreground', text: 'stay, and end with Ctrl-C' }, JSON_OPTION],
    load: async () => (await import('./commands/server.ts')).serverUp,
  },
  {
    words: 'server down',
    summary: 'stop the daemon; runs go on when it is back',
    options: COMMON,
    load: async () => (await import('./commands/server.ts')).serverDown,
  },
  {
    words: 'server status',
    summary: 'say whether the daemon runs, and what it does',
    options: COMMON,
    load: async () => (await import('./commands/server.ts')).serverStatus,
  },
  {
    words: 'server run',
    hidden: true,
    summary: 'be the daemon',
    options: [TEST_MODE, { flags: '--no-worker', text: 'leave the work to workers that join' }, JSON_OPTION],
    load: async () => (await import('./commands/server.ts')).serverRun,
  },
  {
    words: 'worker',
    group: SETUP,
    summary: 'be one more worker of a server',
    options: [SERVER_OPTION, TEST_MODE, JSON_OPTION],
    load: async () => (await import('./commands/worker.ts')).worker,
  },
  {
    words: 'doctor',
    group: SETUP,
    summary: 'examine this machine: agents, sandbox, database, git',
    options: [JSON_OPTION],
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    words: 'demo',
    group: SETUP,
    summary: 'see a whole run in a scratch repository, with a recorded agent',
    options: [
      { flags: '--yes', text: 'approve without asking' },
      { flags: '--task <text>', text: 'another text for the task; what the recording does stays the same' },
      { flags: '--recording <file>', text: 'play another recording', complete: 'file' },
      { flags: '--keep', text: 'keep the scratch folder' },
    ],
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  {
    words: 'completion',
    group: SETUP,
    summary: 'write the completion script of a shell',
    text: 'For bash: source <(switchyard completion bash)',
    arguments: [{ name: '<shell>', text: 'bash, zsh or fish', complete: ['bash', 'zsh', 'fish'] }],
    load: async () => (await import('./commands/completion.ts')).completion,
  },
  {
    words: 'complete',
    hidden: true,
    summary: 'what completion offers for the last of these words',
    arguments: [{ name: '[words...]', text: 'the command line so far' }],
    load: async () => (await import('./commands/completion.ts')).complete,
  },
];

/** What plain help says about commands that only hold others. */
export const COMMAND_GROUPS: Readonly<Record<string, string>> = {
  blueprint: 'ls, show, check: the ways of working',
  server: 'up, down, status: the daemon',
};
