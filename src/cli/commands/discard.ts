import type { RunDetail } from '../../api/schemas/run.ts';
import { SwitchyardError } from '../../lib/error.ts';
import { printableLine } from '../../lib/printable.ts';
import { printActed } from '../acted.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { personOf } from '../person.ts';
import { print } from '../print.ts';
import { questions } from '../questions.ts';
import { stateWords } from '../render/state.ts';
import type { RunReference } from './show.ts';

export interface DiscardOptions extends RunReference {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** Puts a run away, after asking where somebody is there to answer. Nothing is lost by it: `restore` brings it back. */
export async function discard(context: CommandContext, options: DiscardOptions): Promise<number> {
  const { client } = await connect(context, options);
  const run = await client.call('showRun', {}, { run: options.run });
  if (options.dryRun === true) {
    refuseWorking(run);
    return print(context, options, run, () => [...consequences(run), 'Nothing was done: this is a dry run.']);
  }
  if (options.yes !== true && options.json !== true && context.isTerminal) {
    refuseWorking(run);
    context.stdout.write(`${consequences(run).join('\n')}\n`);
    using asked = questions(context);
    const answer = await asked.ask('Discard it? [y/N] ');
    if (answer === undefined || !/^y(es)?$/i.test(answer)) {
      context.stdout.write('Left as it is.\n');
      return 0;
    }
  }
  // By its id, so that what was looked at is what goes, whatever `@last` is by now.
  const acted = await client.call('discardRun', { actor: personOf(context) }, { run: run.id });
  return printActed(context, options, acted);
}

/** Before anybody is asked, in the words of the server, which looks again. */
function refuseWorking({ slug, state }: RunDetail): void {
  if (state.kind !== 'running' && state.kind !== 'queued') return;
  throw new SwitchyardError({
    code: 'run/working',
    message: `Run ${slug} is ${state.kind}.`,
    hint: `Cancel it first: \`switchyard cancel ${slug}\`.`,
  });
}

function consequences(run: RunDetail): string[] {
  const name = printableLine(run.slug);
  if (run.state.kind === 'discarded')
    return [
      `${name}: ${printableLine(run.title)}`,
      '  It is in the trash already.',
      `  \`switchyard restore ${name}\` brings it back.`,
    ];
  const branch = run.branch === null ? [] : [`  Its branch ${printableLine(run.branch)} goes to the trash.`];
  return [
    `${name}: ${printableLine(run.title)} (${stateWords(run.state)})`,
    ...branch,
    run.head === run.base.commit
      ? '  It has changed nothing.'
      : `  Its work at ${run.head.slice(0, 10)} goes to the trash.`,
    `  \`switchyard restore ${name}\` brings all of it back.`,
  ];
}
