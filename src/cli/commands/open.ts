import type { HandedBack, Opened } from '../../api/schemas/open.ts';
import type { HandTool } from '../../domain/opening.ts';
import { counted } from '../../lib/counted.ts';
import { SwitchyardError } from '../../lib/error.ts';
import { runInTerminal } from '../../lib/exec/in-terminal.ts';
import { closeInherited } from '../../lib/inherited-descriptors.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { connect, findServer, type Server } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { isLost } from '../failure.ts';
import { personOf } from '../person.ts';
import { print } from '../print.ts';
import { stateLine } from '../render/state.ts';
import { usageError } from '../usage-error.ts';
import type { RunReference } from './show.ts';

export interface OpenOptions extends RunReference {
  readonly command?: readonly string[];
  readonly agent?: boolean;
  readonly shell?: boolean;
  readonly editor?: boolean;
  readonly stay?: boolean;
  readonly back?: boolean;
}

/**
 * Takes a run over by hand: its workspace is this terminal's until the program in it ends. Then what was changed becomes commits, and the
 * run goes on. With a command, its exit code is this one's.
 */
export async function open(context: CommandContext, options: OpenOptions): Promise<number> {
  const tool = toolOf(context, options);
  if ('url' in findServer(context, options.server).address) throw elsewhere();
  const server = await connect(context, options);
  if (options.back === true) return tell(context, options, await back(context, server, { run: options.run, options }));
  const opened = await server.client.call(
    'openRun',
    {
      ...(tool === undefined ? {} : { tool }),
      command: [...(options.command ?? [])],
      terminal: terminalOf(context),
      pid: process.pid,
      actor: personOf(context),
    },
    { run: options.run },
  );
  for (const note of opened.notes) context.stderr.write(`${printable(note)}\n`);
  if (context.isTerminal) context.stderr.write(`${welcome(opened)}\n`);
  let code: number;
  let handed: HandedBack;
  try {
    code = await work(context, server, { opened, options });
  } finally {
    handed = await back(context, server, { run: opened.run, opening: opened.opening, options });
  }
  tell(context, options, handed, code);
  return opened.tool === 'command' ? code : 0;
}

function toolOf(context: CommandContext, options: OpenOptions): HandTool | undefined {
  const { agent, shell, editor, back: isBack, command = [] } = options;
  const named: HandTool[] = [
    ...(agent === true ? (['agent'] as const) : []),
    ...(shell === true ? (['shell'] as const) : []),
    ...(editor === true ? (['editor'] as const) : []),
    ...(command.length > 0 ? (['command'] as const) : []),
  ];
  if (named.length + (isBack === true ? 1 : 0) > 1) {
    throw usageError(
      'Only one of --agent, --shell, --editor, --back and a command can be meant.',
      'See `switchyard open --help`.',
    );
  }
  const [tool] = named;
  const needsTerminal = isBack !== true && tool !== 'command' && tool !== 'editor';
  if (needsTerminal && !context.isTerminal) {
    throw usageError(
      'There is no terminal here to open the run in.',
      'Say what to run in its workspace: `switchyard open RUN -- COMMAND`.',
    );
  }
  return tool;
}

interface Working {
  readonly opened: Opened;
  readonly options: OpenOptions;
}

/** Lives as long as the program; signals that would end this process are the program's to obey. */
async function work(context: CommandContext, server: Server, { opened, options }: Working): Promise<number> {
  let kill: (signal: NodeJS.Signals) => void = () => undefined;
  using _ = context.onInterrupt((signal) => {
    // Ctrl-C has reached it as well: it belongs to the same terminal.
    if (signal !== 'SIGINT') kill(signal);
  });
  const { program, folder, opening, run, slug } = opened;
  closeInherited(); // the program would have it too, within its walls
  return runInTerminal({
    argv: program === undefined ? editorOf(context, folder) : [...program.argv],
    cwd: folder,
    env: program === undefined ? context.env : program.env,
    quiet: options.json === true,
    reports: program?.reports ?? false,
    onSpawned: (send) => {
      kill = send;
    },
    onStarted: async (pid, report) => {
      const { known } = await patiently(server, () =>
        server.client.call('openStarted', { opening, pid, report }, { run }),
      );
      if (!known) throw takenBack(slug);
    },
  });
}

function takenBack(slug: string): SwitchyardError {
  return new SwitchyardError({
    code: 'run/not-open',
    message: `${slug} was taken back before the program could begin.`,
    hint: `Open it again: \`switchyard open ${slug}\`.`,
  });
}

function welcome({ slug, tool, folder }: Opened): string {
  const what = {
    agent: 'the agent in its session',
    shell: 'a shell in its workspace',
    editor: `your editor on ${printableLine(folder)}`,
    command: 'your command in its workspace',
  }[tool];
  return `${printableLine(slug)} stands still: here is ${what}. When you leave it, the run has what you changed, and is again as it was: at work, waiting, or over.`;
}

/** As git does: the variable is a piece of shell. */
function editorOf({ env }: CommandContext, folder: string): [string, ...string[]] {
  const editor = env['VISUAL'] || env['EDITOR'] || 'vi';
  return ['/bin/sh', '-c', `${editor} "$@"`, editor, folder];
}

interface Handing {
  readonly run: string;
  readonly opening?: string;
  readonly options: OpenOptions;
}

async function back(context: CommandContext, server: Server, { run, opening, options }: Handing): Promise<HandedBack> {
  const request = {
    ...(opening === undefined ? {} : { opening }),
    stay: options.stay ?? false,
    actor: personOf(context),
  };
  return patiently(server, () => server.client.call('handBackRun', request, { run }));
}

/** The daemon may have died meanwhile: it is started again, and asked once more. */
async function patiently<T>(server: Server, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!isLost(error)) throw error;
    await server.reach();
    return ask();
  }
}

function tell(context: CommandContext, options: OpenOptions, handed: HandedBack, exitCode?: number): number {
  const value = exitCode === undefined ? handed : { ...handed, exitCode };
  return print(context, options, value, ({ changed, commits, notes, head, state }, style) => [
    commits === 0
      ? 'Handed back; nothing has changed.'
      : `Handed back: ${counted(changed.length, 'file')} changed, in ${counted(commits, 'commit')} up to ${head.slice(0, 10)}.`,
    ...changed.map((path) => `  ${printableLine(path)}`),
    ...notes.map((note) => printable(note)),
    stateLine(state, style),
  ]);
}

/** What a program needs to know of the terminal that it is shown in. */
function terminalOf({ env }: CommandContext): Record<string, string> {
  const known = /^(TERM|COLORTERM|TERM_PROGRAM|SHELL|LANG|LC_\w+|NO_COLOR|EDITOR|VISUAL|PAGER)$/;
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value !== undefined && known.test(name) ? [[name, value]] : [])),
  );
}

function elsewhere() {
  return usageError(
    'A run can only be opened on the machine where it works.',
    'Log in there; or see its branch with `switchyard checkout RUN`.',
  );
}
