import { type CommandSpec, type Completion, type OptionSpec, optionName } from '../command-spec.ts';
import { COMMANDS } from '../commands.ts';

/** Where names come from that are not in the table of commands. */
export interface Lookups {
  runs(): Promise<readonly string[]>;
  blueprints(): Promise<readonly string[]>;
}

/** What may stand in the place of the last word, which may be empty; none where file names belong. */
export async function candidatesFor(words: readonly string[], lookups: Lookups): Promise<string[]> {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  const { spec, rest } = commandOf(before);
  if (spec === undefined) return beginning(current, rest.length === 0 ? commandWords(before) : []);
  const previous = optionOf(spec, rest.at(-1));
  if (previous !== undefined && takesValue(previous)) {
    return beginning(current, previous.choices ?? (await lookUp(previous.complete, lookups)));
  }
  if (current.startsWith('-')) return beginning(current, optionWords(spec, rest));
  const argument = spec.arguments?.[positionals(spec, rest)];
  return beginning(current, await lookUp(argument?.complete, lookups));
}

/** The command that the words name, and the words after its name. */
function commandOf(words: readonly string[]): { spec: CommandSpec | undefined; rest: readonly string[] } {
  const [first = '', second = ''] = words;
  const one = visible().find((spec) => spec.words === first);
  if (one !== undefined) return { spec: one, rest: words.slice(1) };
  const two = visible().find((spec) => spec.words === `${first} ${second}`);
  if (two !== undefined) return { spec: two, rest: words.slice(2) };
  const isGroup = visible().some((spec) => spec.words.startsWith(`${first} `));
  return { spec: undefined, rest: isGroup ? words.slice(1) : words };
}

function commandWords(before: readonly string[]): string[] {
  const depth = before.length;
  const within = visible().filter(({ words }) => before.every((word, index) => words.split(' ')[index] === word));
  return [...new Set(within.flatMap(({ words }) => words.split(' ')[depth] ?? []))];
}

function visible(): readonly CommandSpec[] {
  return COMMANDS.filter(({ hidden }) => hidden !== true);
}

function optionOf(spec: CommandSpec, word: string | undefined): OptionSpec | undefined {
  return spec.options?.find(({ flags }) => flags.split(/[ ,]+/).some((flag) => flag === word));
}

function takesValue({ flags }: OptionSpec): boolean {
  return flags.includes('<');
}

/** Long options that may still be given. */
function optionWords(spec: CommandSpec, rest: readonly string[]): string[] {
  const given = new Set(
    rest
      .flatMap((word) => optionOf(spec, word) ?? [])
      .filter(({ many }) => many !== true)
      .map(({ flags }) => optionName(flags)),
  );
  const free = (spec.options ?? []).filter(({ flags }) => !given.has(optionName(flags)));
  return [...free.map(({ flags }) => /--[a-z-]+/.exec(flags)?.[0] ?? flags), '--help'];
}

/** How many of the words are arguments: neither options nor their values. */
function positionals(spec: CommandSpec, rest: readonly string[]): number {
  return rest.filter((word, index) => {
    const before = optionOf(spec, rest[index - 1]);
    return !word.startsWith('-') && !(before !== undefined && takesValue(before));
  }).length;
}

async function lookUp(complete: Completion | undefined, lookups: Lookups): Promise<readonly string[]> {
  if (complete === undefined || complete === 'file') return [];
  if (complete === 'run') return ['@last', ...(await lookups.runs())];
  return complete === 'blueprint' ? await lookups.blueprints() : complete;
}

/** Names come from repositories: one that a shell could take for more than a word is not offered. */
function beginning(current: string, words: readonly string[]): string[] {
  return words.filter((word) => word.startsWith(current) && /^[\w@./:=+-]+$/.test(word));
}
