import { failureClass } from '../api/failure.ts';
import type { RunDetail } from '../api/schemas/run.ts';
import { SwitchyardError } from '../lib/error.ts';
import { printable } from '../lib/printable.ts';
import type { Server } from './connect.ts';
import type { CommandContext, Interrupt } from './context.ts';
import { followRun, waitsNoMore } from './follow-run.ts';
import { personOf } from './person.ts';
import type { Progress } from './progress.ts';
import type { Questions } from './questions.ts';

/** A person's answer to a run that waits. */
export interface Decision {
  readonly choice: string;
  readonly note?: string;
}

export interface Watch {
  readonly run: string;
  /** How the run is called in what is said. */
  readonly name: string;
  /** The first event wanted. */
  readonly from: number;
  readonly progress: Progress;
  readonly questions: Questions;
  /** What Ctrl-C does: ask whether to leave the run or to cancel it, or leave it at once. */
  readonly interrupt: 'ask' | 'leave';
  /** Watches on where the run waits for a moment, and not for a person. */
  readonly pastPauses?: boolean;
  /** Asked when the run waits and somebody may be there to answer; undefined leaves it waiting. */
  readonly decide?: (run: RunDetail, signal: AbortSignal) => Promise<Decision | undefined>;
}

/** `left`: the person went away with Ctrl-C, and the run goes on without being watched. */
export type Watched = { readonly kind: 'settled'; readonly run: RunDetail } | { readonly kind: 'left' };

/**
 * Shows a run until it has ended, waits for a person who does not answer now, or is left. Ctrl-C asks whether to leave it or
 * to cancel it (`interrupt`); a second one leaves it.
 */
export async function watchRun(context: CommandContext, server: Server, watch: Watch): Promise<Watched> {
  let from = watch.from;
  for (;;) {
    const part = await watchOnce(context, server, { ...watch, from });
    if (part.kind === 'left') return part;
    from = part.next;
    if (part.run.state.kind !== 'parked' || watch.decide === undefined) return { kind: 'settled', run: part.run };
    watch.progress.hush();
    const decision = await uninterrupted(context, (signal) => decisionOn(part, { server, watch, signal }));
    if (decision === undefined) return { kind: 'settled', run: part.run };
    if (decision === 'elsewhere') {
      watch.progress.say('The run does not wait for this answer any more.');
      continue;
    }
    await decide(context, server, { watch, decision, head: part.run.state.needs.head });
  }
}

interface Asking {
  readonly server: Server;
  readonly watch: Watch;
  readonly signal: AbortSignal;
}

/** The person's answer, or that the run has stopped waiting for one meanwhile: somebody has decided on it elsewhere. */
async function decisionOn(
  { run, next }: Settled,
  { server, watch, signal }: Asking,
): Promise<Decision | 'elsewhere' | undefined> {
  const over = new AbortController();
  const asking = AbortSignal.any([signal, over.signal]);
  let isElsewhere = false;
  const watching = waitsNoMore(server, watch.run, { from: next, signal: asking }).then(
    (moved) => {
      isElsewhere = moved;
      if (moved) over.abort();
    },
    () => undefined, // without that watch an answer is refused by the server, if it comes too late
  );
  try {
    const decision = await watch.decide?.(run, asking);
    return isElsewhere ? 'elsewhere' : decision;
  } finally {
    over.abort();
    await watching;
  }
}

/** For the head that was shown. Where the run has moved on meanwhile, that is said, and the run is looked at again. */
async function decide(
  context: CommandContext,
  server: Server,
  { watch, decision, head }: { watch: Watch; decision: Decision; head: string | null },
): Promise<void> {
  try {
    await server.client.call(
      'decideRun',
      { ...decision, ...(head === null ? {} : { head }), actor: personOf(context) },
      { run: watch.run },
    );
  } catch (error) {
    if (!(error instanceof SwitchyardError)) throw error;
    // Only what the run offered could be chosen.
    const hasMovedOn = error.code === 'decision/choice' || failureClass(error.code) === 'refused';
    if (!hasMovedOn) throw error;
    watch.progress.say(printable(error.message));
  }
}

interface Settled {
  readonly kind: 'settled';
  readonly run: RunDetail;
  /** The first event that was not seen. */
  readonly next: number;
}
type Part = Settled | { readonly kind: 'left' };

async function watchOnce(context: CommandContext, server: Server, watch: Watch): Promise<Part> {
  const { progress } = watch;
  const stop = new AbortController();
  const interrupts = interruptsOf(context);
  using _ = interrupts;
  const events = followRun(server, watch.run, {
    from: watch.from,
    signal: stop.signal,
    pastPauses: watch.pastPauses ?? false,
    onConnection: (change) =>
      progress.say(
        change === 'lost' ? 'The server went away; reaching it again…' : 'The server is back; the run goes on.',
      ),
  });
  let next = watch.from;
  let step = events.next();
  for (;;) {
    const came = await Promise.race([step, interrupts.next()]);
    if (typeof came === 'string') {
      const asks = watch.interrupt === 'ask';
      if (asks && came === 'SIGINT' && (await askToLeave(context, server, watch, interrupts)) === 'stay') continue;
      if (asks) sayWhereItIs(watch);
      stop.abort();
      await step.catch(() => undefined); // it ends by the abort, which is what was wanted
      return { kind: 'left' };
    }
    if (came.done === true) return { kind: 'settled', run: came.value, next };
    next = came.value.seq + 1;
    progress.event(came.value);
    step = events.next();
  }
}

async function askToLeave(
  context: CommandContext,
  server: Server,
  watch: Watch,
  interrupts: Interrupts,
): Promise<'leave' | 'stay'> {
  watch.progress.hush();
  if (!context.isTerminal) return 'leave';
  watch.progress.say(
    '',
    '  [d]etach  leave; the run goes on without you',
    '  [c]ancel  stop the run; what was done so far is kept',
    '  [w]atch   go on watching',
  );
  for (;;) {
    const again = new AbortController();
    const answer = await Promise.race([
      watch.questions.ask('Detach, cancel or watch on? [d/c/w, then Enter; Ctrl-C: d] ', again.signal),
      interrupts.next(),
    ]);
    again.abort();
    if (answer === undefined || answer.startsWith('d') || answer.startsWith('SIG')) return 'leave';
    if (answer.startsWith('w') || answer === '') return 'stay';
    if (answer.startsWith('c')) {
      watch.progress.say('Cancelling; what was done so far is kept.');
      await server.client.call('cancelRun', { actor: personOf(context) }, { run: watch.run });
      return 'stay';
    }
  }
}

function sayWhereItIs({ progress, name }: Watch): void {
  progress.say(
    'The run goes on without you.',
    `    switchyard logs -f ${name}  follow it`,
    `    switchyard cancel ${name}   stop it`,
  );
}

/** A question that Ctrl-C leaves unanswered. */
async function uninterrupted<T>(
  context: CommandContext,
  ask: (signal: AbortSignal) => Promise<T> | undefined,
): Promise<T | undefined> {
  const left = new AbortController();
  using _ = context.onInterrupt(() => left.abort());
  return await ask(left.signal);
}

interface Interrupts extends Disposable {
  next(): Promise<Interrupt>;
}

function interruptsOf(context: CommandContext): Interrupts {
  let pending = Promise.withResolvers<Interrupt>();
  const listening = context.onInterrupt((signal) => {
    pending.resolve(signal);
    pending = Promise.withResolvers();
  });
  return { next: () => pending.promise, [Symbol.dispose]: () => listening[Symbol.dispose]() };
}
