import type { RunStarted } from '../../api/schemas/start-run.ts';
import { printableLine } from '../../lib/printable.ts';
import { connect, type Server } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { askForDecision } from '../decide.ts';
import { EXIT_CODES, exitCodeOf } from '../exit-code.ts';
import { personOf } from '../person.ts';
import { print } from '../print.ts';
import { detailOf, humanProgress, jsonProgress, type Loudness } from '../progress.ts';
import { questions } from '../questions.ts';
import { endingLines } from '../render/ending.ts';
import { messageLines, waysOn } from '../render/event.ts';
import { readLabels, readLimits, readPriority, readSandbox, readTask } from '../run-input.ts';
import { watchRun } from '../watch-run.ts';

export interface RunOptions extends Loudness {
  readonly task?: string;
  readonly file?: string;
  readonly blueprint?: string;
  readonly agent?: string;
  readonly base?: string;
  readonly limit?: readonly string[];
  readonly label?: readonly string[];
  readonly priority?: string;
  readonly sandbox?: string;
  readonly includeDirty?: boolean;
  readonly yes?: boolean;
  readonly detach?: boolean;
  readonly json?: boolean;
  readonly server?: string;
}

/** Starts a run, and follows it until it has ended or waits for a person. Its notes are the first events of its journal. */
export async function run(context: CommandContext, options: RunOptions): Promise<number> {
  const limits = readLimits(options.limit ?? []);
  const labels = readLabels(options.label ?? []);
  const priority = readPriority(options.priority);
  const sandbox = readSandbox(options.sandbox);
  const task = await readTask(context, options);
  const server = await connect(context, options);
  const { blueprint, agent, base } = options;
  const started = await server.client.call('startRun', {
    task,
    repository: context.cwd,
    ...(blueprint === undefined ? {} : { blueprint }),
    ...(agent === undefined ? {} : { agent }),
    ...(base === undefined ? {} : { base }),
    ...(sandbox === undefined ? {} : { sandbox }),
    limits,
    labels,
    priority,
    yes: options.yes ?? false,
    includeDirty: options.includeDirty ?? false,
    requester: personOf(context),
  });
  return options.detach === true
    ? accepted(context, options, started)
    : await follow(context, server, { started, options });
}

/** Without waiting for anything. */
export function accepted(context: CommandContext, options: Pick<RunOptions, 'json'>, started: RunStarted): number {
  return print(context, options, started, (value, style) => [
    ...value.notes.flatMap((note) => messageLines('info', note, style)),
    `accepted: ${printableLine(value.slug)}`,
    `    switchyard logs -f ${printableLine(value.slug)}`,
  ]);
}

/** Shows a run from its beginning until it has ended or waits; the exit code tells which. */
export async function follow(
  context: CommandContext,
  server: Server,
  { started, options }: { started: RunStarted; options: Loudness & Pick<RunOptions, 'json'> },
): Promise<number> {
  const name = printableLine(started.slug);
  const json = options.json === true;
  const asks = context.isTerminal && !json;
  using progress = json ? jsonProgress(context) : humanProgress(context, { name, asks, detail: detailOf(options) });
  using asked = questions(context);
  const watched = await watchRun(context, server, {
    run: started.run,
    name,
    from: 1,
    progress,
    questions: asked,
    interrupt: 'ask',
    ...(asks
      ? { decide: (detail, signal) => askForDecision(context, server, { run: detail, questions: asked, signal }) }
      : {}),
  });
  if (watched.kind === 'left') return EXIT_CODES.interrupted;
  const { state } = watched.run;
  // Who put the answer off is told how to give it later.
  const later = asks && state.kind === 'parked' && state.needs.kind === 'approval';
  if (later) progress.say(...waysOn(state, { ...progress.style, name }));
  if (!json) progress.say(...endingLines(watched.run, progress.style));
  return exitCodeOf(watched.run.state.kind);
}
