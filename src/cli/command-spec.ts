import type { CommandContext } from './context.ts';

/** One command as help, completion and the parser see it. */
export interface CommandSpec {
  /** `run`, or `server up` for a command within a group of commands. */
  readonly words: string;
  /** Heading in plain help, for the first of those that share their first word. */
  readonly group?: string;
  /** For programs: neither help nor completion mentions it. */
  readonly hidden?: true;
  readonly summary: string;
  /** More than the summary, for the command's own help. */
  readonly text?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  readonly examples?: readonly string[];
  /** Imports the command; its options have the names of `arguments` and `options`, in camel case. */
  readonly load: () => Promise<Command>;
}

/** A command: its options are plain data, its result the exit code. */
export type Command = (context: CommandContext, options: never) => Promise<number>;

export interface ArgumentSpec {
  /** As commander writes them: `<run>`, `[task]`, `[words...]`. */
  readonly name: string;
  readonly text: string;
  /** What completion offers here. */
  readonly complete?: Completion;
}

export interface OptionSpec {
  /** As commander writes them: `-f, --follow`, `--agent <name>`. */
  readonly flags: string;
  readonly text: string;
  /** May be given several times; the value is a list. */
  readonly many?: true;
  readonly choices?: readonly string[];
  /** The option, in camel case, that cannot be meant as well. */
  readonly conflicts?: string;
  readonly complete?: Completion;
}

export type Completion = 'run' | 'blueprint' | 'file' | readonly string[];

export const JSON_OPTION: OptionSpec = { flags: '--json', text: 'write JSON for programs' };
export const SERVER_OPTION: OptionSpec = {
  flags: '--server <address>',
  text: 'unix:/path or http://host:port instead of the daemon on this machine (SWITCHYARD_SERVER)',
};

/** `--dry-run` is the option `dryRun`, `[task]` the option `task`. */
export function optionName(flagsOrArgument: string): string {
  const long = /--([a-z-]+)/.exec(flagsOrArgument)?.[1] ?? flagsOrArgument.replace(/[^a-z-]/g, '');
  return long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
