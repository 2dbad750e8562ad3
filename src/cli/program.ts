import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { type CommandSpec, optionName } from './command-spec.ts';
import { COMMAND_GROUPS, COMMANDS } from './commands.ts';
import { type CommandContext, packageFolder } from './context.ts';
import { columnsOf } from './render/style.ts';
import { usageError } from './usage-error.ts';

/** What the command line asks for: a command with its options, or nothing more, because help or the version was shown. */
export type Parsed =
  | { readonly kind: 'command'; readonly spec: CommandSpec; readonly options: Record<string, unknown> }
  | { readonly kind: 'shown' };

/** Reads the arguments after the program's name. Throws a usage error of one line with a hint. */
export async function parse(context: CommandContext, argv: readonly string[]): Promise<Parsed> {
  let parsed: Parsed = { kind: 'shown' };
  const program = build(context, (spec, options) => {
    parsed = { kind: 'command', spec, options };
  });
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : [...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw asUsageError(error, argv);
  }
  return parsed;
}

function build(
  context: CommandContext,
  chosen: (spec: CommandSpec, options: Record<string, unknown>) => void,
): Command {
  const program = new Command('switchyard')
    .description('Runs coding agents through pipelines on your repositories, and never loses work.')
    .usage('<command> [options]')
    .version(version(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .addHelpCommand(
      new Command('help').argument('[command]').description('show help for a command').helpGroup(lastGroup()),
    )
    .configureHelp({
      subcommandTerm: (command) => [command.name(), command.usage().replace('[options]', '').trim()].join(' ').trim(),
    })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      // What commander says about errors is said once, by whoever catches them.
      writeErr: () => undefined,
      getOutHelpWidth: () => columnsOf(context.stdout, 100),
    });
  for (const spec of COMMANDS) add(program, spec, chosen);
  return program;
}

function add(
  program: Command,
  spec: CommandSpec,
  chosen: (spec: CommandSpec, options: Record<string, unknown>) => void,
): void {
  const [first = '', second] = spec.words.split(' ');
  const parent = second === undefined ? program : groupOf(program, first, spec.group);
  const command = parent.command(second ?? first, { hidden: spec.hidden ?? false });
  command.summary(spec.summary).description(describe(spec));
  if (spec.group !== undefined && second === undefined) command.helpGroup(spec.group);
  for (const argument of spec.arguments ?? []) command.argument(argument.name, argument.text);
  for (const { flags, text, many, choices, conflicts } of spec.options ?? []) {
    const option = new Option(flags, text);
    if (choices !== undefined) option.choices(choices);
    if (conflicts !== undefined) option.conflicts(conflicts);
    if (many === true) option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
    command.addOption(option);
  }
  command.action(() => {
    const values = (spec.arguments ?? []).map(
      ({ name }, index) => [optionName(name), command.processedArgs[index]] as const,
    );
    chosen(spec, { ...Object.fromEntries(values.filter(([, value]) => value !== undefined)), ...command.opts() });
  });
}

function lastGroup(): string {
  return COMMANDS.findLast(({ group }) => group !== undefined)?.group ?? '';
}

function groupOf(program: Command, name: string, heading: string | undefined): Command {
  const known = program.commands.find((command) => command.name() === name);
  if (known !== undefined) return known;
  const group = program
    .command(name)
    .description(COMMAND_GROUPS[name] ?? '')
    .usage('<command> [options]')
    .helpCommand(false);
  if (heading !== undefined) group.helpGroup(heading);
  return group;
}

function describe({ summary, text, examples = [] }: CommandSpec): string {
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  const shown = examples.length === 0 ? '' : `\n\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`;
  // Its lines are broken where the terminal ends, not where those of the source do.
  return [sentence, text?.replaceAll('\n', ' ')].filter((part) => part !== undefined).join(' ') + shown;
}

/** Commander's message is `error: what (Did you mean x?)`, over two lines. */
function asUsageError(error: CommanderError, argv: readonly string[]): Error {
  const words = commandWords(argv);
  const help = `See \`${['switchyard', ...words, '--help'].join(' ')}\`.`;
  if (error.code === 'commander.help') {
    const names = COMMANDS.filter((spec) => spec.hidden !== true && spec.words.startsWith(`${words[0]} `)).map(
      (spec) => spec.words.split(' ')[1],
    );
    return usageError(`\`switchyard ${words.join(' ')}\` needs one of: ${names.join(', ')}.`, help);
  }
  if (words.join(' ') === 'secret set' && NAMES_VALUES.has(error.code)) return valueAsArgument(help);
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const sentence = `${message.charAt(0).toUpperCase()}${message.slice(1)}`.replace(/([^.?!])$/, '$1.');
  const said = suggestion?.replace(/^\(|\)$/g, '');
  const quotes =
    error.code === 'commander.excessArguments' && words[0] === 'run' ? 'Put the task in quotes.' : undefined;
  return usageError(sentence, [said, quotes, help].filter((part) => part !== undefined).join(' '));
}

/** What commander says of these holds the words themselves. */
const NAMES_VALUES: ReadonlySet<string> = new Set(['commander.excessArguments', 'commander.unknownOption']);

/** What was written is most likely the value of a secret: it is not shown again. */
function valueAsArgument(help: string): Error {
  return usageError(
    '`switchyard secret set` takes a name, and no value: what stands on a command line can be read by others, and is kept in the history of the shell.',
    `Type the value when asked, or give it on standard input: \`switchyard secret set NAME < file\`. ${help}`,
  );
}

/** The words of the command that was meant, as far as they are known. */
function commandWords(argv: readonly string[]): readonly string[] {
  const [first = '', second = ''] = argv.filter((word) => !word.startsWith('-'));
  if (COMMANDS.some(({ words }) => words === `${first} ${second}`)) return [first, second];
  return COMMANDS.some(({ words }) => words.split(' ')[0] === first) ? [first] : [];
}

/** The version in package.json. */
export function version(): string {
  const manifest = JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
