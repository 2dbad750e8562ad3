import { SandboxLevel } from '../domain/sandbox.ts';
import { UsageBy } from '../domain/usage.ts';
import { type CommandSpec, JSON_OPTION, SERVER_OPTION } from './command-spec.ts';
import { SETUP_COMMANDS } from './setup-commands.ts';

const RUN = { name: '<run>', text: 'id, unique beginning of an id, slug, or @last', complete: 'run' } as const;
const COMMON = [JSON_OPTION, SERVER_OPTION] as const;

/** How much is shown of a run that is followed. */
const LOUDNESS = [
  { flags: '-q, --quiet', text: 'only where you are needed, and the end', conflicts: 'verbose' },
  { flags: '-v, --verbose', text: 'everything that agents say and tools answer' },
] as const;

const WORK = 'Work:';
const RUNS = 'Runs:';

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
      { flags: '--label <name>', text: 'a label of the task, by which `usage` and budgets go; repeatable', many: true },
      { flags: '--priority <n>', text: 'the higher goes first; ten minutes of waiting count as one more (default: 0)' },
      {
        flags: '--sandbox <level>',
        text: `how strong the walls are: ${SandboxLevel.options.join(' or ')} (default: the strongest that this machine has)`,
        complete: SandboxLevel.options,
      },
      { flags: '--include-dirty', text: 'take along what is not committed' },
      { flags: '--yes', text: 'answer "approved" wherever that is offered' },
      { flags: '--detach', text: 'return as soon as the run is accepted' },
      ...LOUDNESS,
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
    options: [
      { flags: '--all', text: 'of all repositories, discarded ones too' },
      { flags: '--repository <path>', text: 'of the repository there instead of the one that you stand in' },
      ...COMMON,
    ],
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
    words: 'send',
    group: WORK,
    summary: "say something to a run's agent; a run that has stopped goes on with it",
    text: `An agent at work is told when its present turn ends, in the same session; --now interrupts the turn. A run that waits or has ended goes on at
the node of its latest agent, on the same branch, and from there along its blueprint. Where an approval waits it is the answer
"changes".`,
    arguments: [RUN, { name: '[text]', text: 'what to say, in quotes; - reads it from standard input' }],
    options: [
      { flags: '--file <path>', text: 'read it from a file', complete: 'file' },
      { flags: '--now', text: 'interrupt the turn that is at work' },
      { flags: '--wait', text: 'follow the run until the agent was told' },
      ...COMMON,
    ],
    examples: [
      'switchyard send @last "Use the helper in src/money.ts"',
      'switchyard send fix-it --file notes.md --now',
    ],
    load: async () => (await import('./commands/send.ts')).send,
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
    words: 'open',
    group: WORK,
    summary: 'take a run over by hand, in its workspace; it goes on when you leave',
    text: `The run stands still meanwhile: an agent at work is stopped, its work and session are kept. When the program ends, what you have
changed becomes commits of yours, and the run goes on where it was. Without an option: the agent's own program with its session,
where there is one, else a shell. A command gets the terminal as it is, or pipes; its exit code is this command's.`,
    arguments: [RUN, { name: '[command...]', text: 'after --: a command to run there in place of a shell' }],
    options: [
      { flags: '--agent', text: "the agent's own program, in the session that it has worked in" },
      { flags: '--shell', text: 'your shell, within the walls of the run' },
      { flags: '--editor', text: 'your editor (VISUAL, EDITOR) on the folder; it runs outside of the walls' },
      { flags: '--stay', text: 'leave a run that was at work parked afterwards' },
      { flags: '--back', text: 'hand back a run that was left open; what still runs there is ended' },
      ...COMMON,
    ],
    examples: ['switchyard open @last', 'switchyard open fix-it -- git log --stat', 'switchyard open fix-it --back'],
    load: async () => (await import('./commands/open.ts')).open,
  },
  {
    words: 'logs',
    group: RUNS,
    summary: 'show what happened in a run, with the words of its agents',
    arguments: [RUN],
    options: [
      {
        flags: '-f, --follow',
        text: 'go on until the run ends or waits for a person; on a terminal as run shows it, or all with -v',
      },
      { flags: '--step <node#n>', text: 'only one step, for instance fix-lint#2' },
      ...LOUDNESS,
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
    words: 'usage',
    group: RUNS,
    summary: 'what calls to models came to: tokens and money, by run, person, model, day, …',
    text: `As the gateway has counted it, beside what the agents themselves say. Without a run: all of the last 30 days. What nobody knows the price
of is unknown, and never nothing.`,
    arguments: [{ name: '[run]', text: RUN.text, complete: 'run' }],
    options: [
      {
        flags: '--by <what>',
        text: `${UsageBy.options.join(', ')} (default: step for one run, else run)`,
        complete: UsageBy.options,
      },
      { flags: '--since <when>', text: 'how long ago, as 7d, or a date, as 2026-11-27, in UTC' },
      { flags: '--until <when>', text: 'the same; what came later is left out' },
      { flags: '--csv', text: 'write CSV', conflicts: 'json' },
      ...COMMON,
    ],
    examples: ['switchyard usage @last', 'switchyard usage --by person --since 7d', 'switchyard usage --by day --csv'],
    load: async () => (await import('./commands/usage.ts')).usage,
  },
  {
    words: 'checkout',
    group: RUNS,
    summary: "check out a run's branch in your clone",
    text: 'Refused where a file of yours is in the way; nothing else of yours is touched.',
    arguments: [RUN],
    options: [
      { flags: '--branch <name>', text: "on a branch of this name instead of the run's own" },
      { flags: '--worktree <path>', text: 'make a git worktree there instead of changing this checkout' },
      ...COMMON,
    ],
    load: async () => (await import('./commands/checkout.ts')).checkout,
  },
  {
    words: 'retry',
    group: RUNS,
    summary: 'have a run go on that waits, has failed or was cancelled',
    text: 'Bounds that are used up get their original amount again.',
    arguments: [RUN],
    options: [
      { flags: '--from <node>', text: 'from this node, in which the run has been, not from where it stopped' },
      ...COMMON,
    ],
    load: async () => (await import('./commands/retry.ts')).retry,
  },
  {
    words: 'fork',
    group: RUNS,
    summary: 'start another run from a step of this one, perhaps with another agent',
    text: `The new run has this one's history, commits and agent sessions up to the step, and a branch of its own; this one goes its own way. With
--prompt the agent that is next is told it; where none is next, the agent of the step itself goes on with it.`,
    arguments: [RUN],
    options: [
      { flags: '--from <node#n>', text: 'the step, for instance implement#1 (default: the latest that has ended)' },
      { flags: '--agent <name>', text: 'another of the configured agents; it is told what was done' },
      { flags: '--prompt <text>', text: 'what the agent is to do' },
      { flags: '--detach', text: 'return as soon as the run is accepted' },
      ...LOUDNESS,
      ...COMMON,
    ],
    examples: ['switchyard fork @last --from implement#1 --agent claude --prompt "Use a map instead"'],
    load: async () => (await import('./commands/fork.ts')).fork,
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
  ...SETUP_COMMANDS,
];

/** What plain help says about commands that only hold others. */
export const COMMAND_GROUPS: Readonly<Record<string, string>> = {
  blueprint: 'ls, show, check: the ways of working',
  repo: 'ls, add, rm: the repositories that are known here',
  secret: 'set, ls, rm: what checks, setup and commands need and agents must not know',
  server: 'up, down, restart, status, backup, restore, prune: the daemon and what it keeps',
};
