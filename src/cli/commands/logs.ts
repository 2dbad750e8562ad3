import type { StepView } from '../../api/schemas/run.ts';
import type { Event } from '../../domain/event.ts';
import { isEnded } from '../../domain/run.ts';
import { SwitchyardError } from '../../lib/error.ts';
import { printableJson, printableLine } from '../../lib/printable.ts';
import { connect, type Server } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { followRun } from '../follow-run.ts';
import { detailOf, humanProgress, type Loudness } from '../progress.ts';
import { questions } from '../questions.ts';
import { endingLines } from '../render/ending.ts';
import { eventRenderer } from '../render/event.ts';
import { styleOf } from '../render/style.ts';
import { watchRun } from '../watch-run.ts';
import type { RunReference } from './show.ts';

export interface LogsOptions extends RunReference, Loudness {
  readonly follow?: boolean;
  /** `NODE#N`, or `NODE` for all of its steps. */
  readonly step?: string;
}

/**
 * A run's journal with all that its agents said; with `follow`, on and on until the run has ended or waits for a person, not where it goes on
 * by itself: on a terminal as `run` shows it, unless everything is asked for.
 */
export async function logs(context: CommandContext, options: LogsOptions): Promise<number> {
  const server = await connect(context, options);
  // From here on by its id: `@last` may become another run while this one is followed.
  const { id, slug } = await server.client.call('showRun', {}, { run: options.run });
  const run = { id, name: printableLine(slug) };
  const isWatched = options.follow === true && context.stdout.isTTY === true && options.json !== true;
  if (isWatched && options.step === undefined) return await watch(context, server, { run, options });
  return await write(context, server, { run, options });
}

interface Asked {
  readonly run: { readonly id: string; readonly name: string };
  readonly options: LogsOptions;
}

async function watch(context: CommandContext, server: Server, { run, options }: Asked): Promise<number> {
  const { name } = run;
  using progress = humanProgress(context, { name, detail: detailOf(options), leaving: 'Ctrl-C: leave' });
  using asked = questions(context);
  const watched = await watchRun(context, server, {
    run: run.id,
    name,
    from: 1,
    progress,
    questions: asked,
    interrupt: 'leave',
    pastPauses: true,
  });
  if (watched.kind === 'left') return EXIT_CODES.interrupted;
  progress.say(...endingLines(watched.run, progress.style));
  return EXIT_CODES.ok;
}

async function write(context: CommandContext, server: Server, { run, options }: Asked): Promise<number> {
  const { step } = options;
  const detail = options.quiet === true ? detailOf(options) : 'full';
  const render = eventRenderer({ ...styleOf(context.stdout, context.env), detail, live: false, name: run.name });
  const events =
    options.follow === true
      ? followRun(server, run.id, { from: 1, pastPauses: true })
      : server.client.events(run.id, step === undefined ? {} : { step });
  let written = 0;
  for await (const event of events) {
    if (!belongsTo(event, step)) continue;
    written += 1;
    const lines = options.json === true ? [printableJson(event)] : render(event);
    context.stdout.write(lines.map((line) => `${line}\n`).join(''));
  }
  if (step === undefined && options.json !== true) await writeEnding(context, server, run.id);
  if (written === 0 && step !== undefined) await refuseMissing(server, run, step);
  return EXIT_CODES.ok;
}

/** What became of a run that is over; that one waits was its last event. */
async function writeEnding(context: CommandContext, server: Server, id: string): Promise<void> {
  const run = await server.client.call('showRun', {}, { run: id });
  if (!isEnded(run.state.kind)) return;
  const lines = endingLines(run, styleOf(context.stdout, context.env));
  context.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/** Following needs the events of the run as well, to know when it has ended; what is of another step is left out here. */
function belongsTo(event: Event, step: string | undefined): boolean {
  if (step === undefined) return true;
  if (!('node' in event) || event.node === null || event.node === undefined) return false;
  return isNamed(step, { node: event.node, n: 'n' in event ? event.n : undefined });
}

function isNamed(step: string, { node, n }: { readonly node: string; readonly n: number | undefined }): boolean {
  const [wanted, number] = step.split('#');
  return node === wanted && (number === undefined || n === Number(number));
}

/** A step that has nothing to tell yet is none that is missing. */
async function refuseMissing(server: Server, run: Asked['run'], step: string): Promise<void> {
  const { steps } = await server.client.call('showRun', {}, { run: run.id });
  if (steps.some((one) => isNamed(step, one))) return;
  throw new SwitchyardError({
    code: 'step/not-found',
    message: `Run ${run.name} has no step ${JSON.stringify(step)}.`,
    hint: steps.length === 0 ? 'It has not come to any step yet.' : `It has: ${steps.map(nameOf).join(', ')}.`,
  });
}

function nameOf({ node, n }: StepView): string {
  return `${printableLine(node)}#${n}`;
}
