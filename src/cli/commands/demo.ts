import { resolve } from 'node:path';
import type { RunDetail } from '../../api/schemas/run.ts';
import type { Event } from '../../domain/event.ts';
import { printableLine } from '../../lib/printable.ts';
import { connect, findServer, type Server } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { ownAgentLines } from '../demo/own-agent.ts';
import { mergedLines } from '../demo/result.ts';
import { findRecording, type Stage, setUpStage } from '../demo/stage.ts';
import { runShippedTests } from '../demo/tests.ts';
import { EXIT_CODES, exitCodeOf } from '../exit-code.ts';
import { nextEventOf } from '../follow-run.ts';
import { personOf } from '../person.ts';
import { humanProgress, type Progress } from '../progress.ts';
import { type Questions, questions } from '../questions.ts';
import { shortDuration } from '../render/amount.ts';
import { statLines } from '../render/diff.ts';
import { endingLines } from '../render/ending.ts';
import { paint, type Style, styleOf } from '../render/style.ts';
import { stopDaemon } from '../stop-daemon.ts';
import { type Watched, watchRun } from '../watch-run.ts';

export interface DemoOptions {
  readonly yes?: boolean;
  readonly task?: string;
  readonly recording?: string;
  readonly keep?: boolean;
}

const TASK = 'Baskets of exactly 50.00 must ship free. Make the failing test pass.';

/** A whole run from a failing test to a merge, on a stage of its own: only what the agent says and does was recorded before. */
export async function demo(context: CommandContext, options: DemoOptions): Promise<number> {
  const recording = await findRecording(
    options.recording === undefined ? undefined : resolve(context.cwd, options.recording),
  );
  const began = context.clock.now();
  const say = sayOn(context);
  const style = styleOf(context.stdout, context.env);
  say(
    paint(style, 'bold', 'Switchyard demo'),
    'The agent is a recording: it plays back edits that were written beforehand. All the rest is real.',
    ...(options.recording === undefined ? [] : [`It plays ${printableLine(options.recording)}.`]),
    ...(options.task === undefined ? [] : ['The task has your text; what the recording does stays the same.']),
    ...(options.yes === true || context.isTerminal ? [] : ['This is no terminal, so it goes on as with --yes.']),
  );
  const stage = await setUpStage(context, recording);
  say(paint(style, 'dim', `Scratch folder: ${stage.folder}`));
  const code = await play(stage, options);
  if (code === EXIT_CODES.ok)
    say(
      '',
      ...ownAgentLines(context),
      '',
      paint(style, 'dim', `That took ${shortDuration(context.clock.now() - began)}.`),
    );
  if (code === EXIT_CODES.ok && options.keep !== true) await stage.remove();
  else {
    await stage.keep();
    say(
      '',
      `Everything is kept in ${stage.folder}. To look into it: cd ${stage.repository} && SWITCHYARD_HOME=../home switchyard show @last`,
    );
  }
  return code;
}

/** From the daemon's start to its end, whatever happens between. */
async function play(stage: Stage, options: DemoOptions): Promise<number> {
  const { context } = stage;
  const left = new AbortController();
  using _ = context.onInterrupt(() => left.abort());
  using asked = questions(context);
  try {
    return await perform({ stage, options, asked, signal: left.signal });
  } catch (error) {
    if (!left.signal.aborted) throw error;
    return EXIT_CODES.interrupted;
  } finally {
    await stopDaemon(findServer(context).address);
  }
}

interface Play {
  readonly stage: Stage;
  readonly options: DemoOptions;
  readonly asked: Questions;
  readonly signal: AbortSignal;
}

async function perform({ stage, options, asked, signal }: Play): Promise<number> {
  const { context } = stage;
  const say = sayOn(context);
  const style = styleOf(context.stdout, context.env);
  say(
    '',
    heading(style, 'A small repository with a failing test'),
    ...testLines(await runShippedTests(stage.repository), style),
  );
  signal.throwIfAborted();

  const task = options.task ?? TASK;
  say('', heading(style, 'A run of the blueprint "minion", with a daemon of its own'));
  const server = await connect(context, {});
  signal.throwIfAborted();
  const yes = options.yes === true || !context.isTerminal;
  const started = await server.client.call('startRun', {
    task,
    repository: stage.repository,
    blueprint: 'minion',
    yes,
    requester: personOf(context),
  });
  const events: Event[] = [];
  using progress = remembering(
    humanProgress(context, { name: printableLine(started.slug), asks: !yes, leaving: 'Ctrl-C: stop' }),
    events,
  );
  const watch = {
    run: started.run,
    name: printableLine(started.slug),
    progress,
    questions: asked,
    interrupt: 'leave',
  } as const;
  const ran = await watchRun(context, server, {
    ...watch,
    from: 1,
    decide: (run, stop) => askToApprove(context, server, { run, asked, signal: stop }),
  });
  const run = ended(ran);
  if (run.state.kind !== 'succeeded') {
    progress.say(...endingLines(run, style));
    return exitCodeOf(run.state.kind);
  }

  progress.say('', heading(style, 'The merge'));
  const from = await nextEventOf(server, run.id);
  await server.client.call('mergeRun', { actor: personOf(context) }, { run: run.id });
  const merged = ended(await watchRun(context, server, { ...watch, from }));
  if (merged.merged === undefined) {
    progress.say(...endingLines(merged, style));
    return merged.state.kind === 'succeeded' ? EXIT_CODES.failed : exitCodeOf(merged.state.kind);
  }
  progress.say(...(await mergedLines({ ...stage, merged: merged.merged, events, style })));
  return EXIT_CODES.ok;
}

async function askToApprove(
  context: CommandContext,
  server: Server,
  { run, asked, signal }: { run: RunDetail; asked: Questions; signal: AbortSignal },
): Promise<{ choice: string } | undefined> {
  if (run.state.kind !== 'parked' || !run.state.needs.choices.includes('approved')) return undefined;
  const { stat } = await server.client.call('diffRun', {}, { run: run.id });
  sayOn(context)(...statLines(stat, styleOf(context.stdout, context.env)));
  const answer = await asked.ask('You are the reviewer. Approve it? [Y/n] ', signal);
  return answer !== undefined && /^(y(es)?)?$/i.test(answer) ? { choice: 'approved' } : undefined;
}

function ended(watched: Watched): RunDetail {
  if (watched.kind === 'left') throw new DOMException('interrupted', 'AbortError');
  return watched.run;
}

function testLines(tests: readonly { passed: boolean; name: string }[], style: Style): string[] {
  return tests.map(
    ({ passed, name }) => `    ${passed ? paint(style, 'green', '✓') : paint(style, 'red', '✗')} ${name}`,
  );
}

function heading(style: Style, text: string): string {
  return paint(style, 'bold', text);
}

function remembering(progress: Progress, events: Event[]): Progress {
  return {
    ...progress,
    event: (event) => {
      events.push(event);
      progress.event(event);
    },
  };
}

function sayOn(context: CommandContext): (...lines: string[]) => void {
  return (...lines) => void context.stdout.write(lines.map((line) => `${line}\n`).join(''));
}
