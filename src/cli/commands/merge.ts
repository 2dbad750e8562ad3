import type { RunDetail } from '../../api/schemas/run.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { printActed } from '../acted.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { EXIT_CODES, exitCodeOf } from '../exit-code.ts';
import { nextEventOf } from '../follow-run.ts';
import { personOf } from '../person.ts';
import { humanProgress, jsonProgress } from '../progress.ts';
import { questions } from '../questions.ts';
import { endingLines } from '../render/ending.ts';
import { watchRun } from '../watch-run.ts';
import type { RunReference } from './show.ts';

export interface MergeOptions extends RunReference {
  readonly to?: string;
  readonly push?: boolean;
}

/** Merges a run's result and waits for what becomes of it. */
export async function merge(context: CommandContext, options: MergeOptions): Promise<number> {
  const server = await connect(context, options);
  const { id, slug } = await server.client.call('showRun', {}, { run: options.run });
  const from = await nextEventOf(server, id);
  const acted = await server.client.call(
    'mergeRun',
    { ...(options.to === undefined ? {} : { to: options.to }), push: options.push ?? false, actor: personOf(context) },
    { run: id },
  );
  if (!acted.working) {
    printActed(context, options, acted);
    return exitCodeOf(acted.state.kind);
  }
  const name = printableLine(slug);
  using progress = options.json === true ? jsonProgress(context) : humanProgress(context, { name });
  using asked = questions(context);
  if (acted.note !== undefined) progress.say(printable(acted.note));
  const watched = await watchRun(context, server, {
    run: id,
    name,
    from,
    progress,
    questions: asked,
    interrupt: 'ask',
  });
  if (watched.kind === 'left') return EXIT_CODES.interrupted;
  if (options.json !== true) progress.say(...endingLines(watched.run, progress.style));
  return mergeExitCode(watched.run);
}

/** A run that succeeded without being merged is what the merge did not change. */
function mergeExitCode(run: RunDetail): number {
  return run.state.kind === 'succeeded' && run.merged === undefined ? EXIT_CODES.failed : exitCodeOf(run.state.kind);
}
