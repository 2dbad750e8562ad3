import { type CommandSpec, JSON_OPTION, SERVER_OPTION } from './command-spec.ts';

const COMMON = [JSON_OPTION, SERVER_OPTION] as const;
const TEST_MODE = { flags: '--test-mode', text: 'honour SWITCHYARD_CRASH_POINT' } as const;

const EVERYWHERE = { flags: '--everywhere', text: 'the one for all repositories' } as const;

const SETUP = 'Setup:';

/** The commands about ways of working, repositories, the server and this machine, in the order of plain help. */
export const SETUP_COMMANDS: readonly CommandSpec[] = [
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
    words: 'repo ls',
    group: SETUP,
    summary: 'list the repositories that are known here, and what they take up',
    options: COMMON,
    load: async () => (await import('./commands/repo.ts')).repoLs,
  },
  {
    words: 'repo add',
    summary: 'make a repository known, or say where one is now that was moved',
    arguments: [{ name: '<path>', text: 'any folder in it', complete: 'file' }],
    options: [{ flags: '--as <name>', text: 'which of those it is that are not where they were' }, ...COMMON],
    load: async () => (await import('./commands/repo.ts')).repoAdd,
  },
  {
    words: 'repo rm',
    summary: 'forget a repository and its runs; the repository itself is not touched',
    text: 'Without --yes it says what would go. Runs whose work is on no branch of the repository have to be named.',
    arguments: [{ name: '<name>', text: 'its name as in `repo ls`, or its path' }],
    options: [
      { flags: '--yes', text: 'do it' },
      { flags: '--discard-unmerged <run>', text: 'give up the work of this run; repeatable', many: true },
      ...COMMON,
    ],
    load: async () => (await import('./commands/repo.ts')).repoRm,
  },
  {
    words: 'secret set',
    group: SETUP,
    summary: 'store a secret for programs that name it, in this repository alone',
    text: `The value is typed, and not shown, or comes on standard input, whose last line's end does not count. Checks, setup and command nodes find
it in the variable of that name where they name it; agents never do, though config.yaml can name one as the key of an agent. Transcripts, logs and reports show its name in its place.`,
    arguments: [{ name: '<name>', text: 'the variable in which programs find it, for instance NPM_TOKEN' }],
    options: [EVERYWHERE, ...COMMON],
    examples: ['switchyard secret set NPM_TOKEN', 'pass show npm | switchyard secret set NPM_TOKEN --everywhere'],
    load: async () => (await import('./commands/secret.ts')).secretSet,
  },
  {
    words: 'secret ls',
    summary: 'list secrets: names, for which repository, since when; never values',
    options: COMMON,
    load: async () => (await import('./commands/secret.ts')).secretLs,
  },
  {
    words: 'secret rm',
    summary: 'remove a secret of this repository',
    arguments: [{ name: '<name>', text: 'its name' }],
    options: [EVERYWHERE, ...COMMON],
    load: async () => (await import('./commands/secret.ts')).secretRm,
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
    words: 'server restart',
    summary: 'replace the daemon by one of this version; agents at work are saved and go on',
    options: [JSON_OPTION],
    load: async () => (await import('./commands/server.ts')).serverRestart,
  },
  {
    words: 'server status',
    summary: 'say whether the daemon runs, and what it does',
    options: COMMON,
    load: async () => (await import('./commands/server.ts')).serverStatus,
  },
  {
    words: 'server backup',
    summary: 'write everything that cannot be made again into one file, while runs go on',
    arguments: [{ name: '<path>', text: 'a file that is not there yet, or a folder', complete: 'file' }],
    options: COMMON,
    load: async () => (await import('./commands/backup.ts')).serverBackup,
  },
  {
    words: 'server restore',
    summary: 'make this home out of a backup, while no daemon runs',
    arguments: [{ name: '<file>', text: 'what `server backup` has written', complete: 'file' }],
    options: [{ flags: '--replace', text: 'move aside what is there' }, JSON_OPTION],
    load: async () => (await import('./commands/backup.ts')).serverRestore,
  },
  {
    words: 'server prune',
    summary: 'remove what has been kept for as long as config.yaml says (retention); done daily by itself',
    options: [{ flags: '--dry-run', text: 'say what would go, and why it may' }, ...COMMON],
    load: async () => (await import('./commands/prune.ts')).serverPrune,
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
    text: 'Exit code 1 when there is a problem; with --fix, when something is left.',
    options: [
      { flags: '--online', text: 'also ask the addresses of agents whether they answer and take their keys' },
      { flags: '--fix', text: 'clear away what dead processes of Switchyard have left, and say how that is known' },
      { flags: '--dry-run', text: 'with --fix: only say what would be cleared away' },
      JSON_OPTION,
    ],
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
