import type { RunStarted } from '../../api/schemas.ts';
import type { SandboxLevel } from '../../domain/sandbox.ts';
import { printableLine } from '../../lib/printable.ts';
import { connect, type Server } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { askForDecision } from '../decide.ts';
import { EXIT_CODES, exitCodeOf } from '../exit-code.ts';
import { personOf } from '../person.ts';
import { print } from '../print.ts';
import { humanProgress, jsonProgress } from '../progress.ts';
import { questions } from '../questions.ts';
import { endingLines } from '../render/ending.ts';
import { messageLine } from '../render/event.ts';
import { readLimits, readTask } from '../run-input.ts';
import { watchRun } from '../watch-run.ts';

export interface RunOptions {
  readonly task?: string;
  readonly file?: string;
  readonly blueprint?: string;
  readonly agent?: string;
  readonly base?: string;
  readonly limit?: readonly string[];
  readonly sandbox?: SandboxLevel;
  readonly includeDirty?: boolean;
  readonly yes?: boolean;
  readonly detach?: boolean;
  readonly json?: boolean;
  readonly server?: string;
}

/** Starts a run, and follows it until it has ended or waits for a person. Its notes are the first events of its journal. */
export async function run(context: CommandContext, options: RunOptions): Promise<number> {
  const limits = readLimits(options.limit ?? []);
  const task = await readTask(context, options);
  const server = await connect(context, options);
  const { blueprint, agent, base, sandbox } = options;
  const started = await server.client.call('startRun', {
    task,
    repository: context.cwd,
    ...(blueprint === undefined ? {} : { blueprint }),
    ...(agent === undefined ? {} : { agent }),
    ...(base === undefined ? {} : { base }),
    ...(sandbox === undefined ? {} : { sandbox }),
    limits,
    yes: options.yes ?? false,
    includeDirty: options.includeDirty ?? false,
    requester: personOf(context),
  });
  return options.detach === true
    ? accepted(context, options, started)
    : await follow(context, server, { started, json: options.json ?? false });
}

function accepted(context: CommandContext, options: RunOptions, started: RunStarted): number {
  return print(context, options, started, (value, style) => [
    ...value.notes.map((note) => messageLine('warning', note, style)),
    `accepted: ${printableLine(value.slug)}`,
    `    switchyard logs -f ${printableLine(value.slug)}`,
  ]);
}

async function follow(
  context: CommandContext,
  server: Server,
  { started, json }: { started: RunStarted; json: boolean },
): Promise<number> {
  const name = printableLine(started.slug);
  using progress = json ? jsonProgress(context) : humanProgress(context, name);
  using asked = questions(context);
  const watched = await watchRun(context, server, {
    run: started.run,
    name,
    from: 1,
    progress,
    questions: asked,
    interrupt: 'ask',
    ...(context.isTerminal && !json
      ? { decide: (detail, signal) => askForDecision(context, server, { run: detail, questions: asked, signal }) }
      : {}),
  });
  if (watched.kind === 'left') return EXIT_CODES.interrupted;
  if (!json) progress.say(...endingLines(watched.run, progress.style));
  return exitCodeOf(watched.run.state.kind);
}
