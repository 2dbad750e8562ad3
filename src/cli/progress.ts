import type { Event } from '../domain/event.ts';
import { printableJson } from '../lib/printable.ts';
import type { CommandContext } from './context.ts';
import { trackActivity } from './render/activity.ts';
import { type EventView, eventRenderer } from './render/event.ts';
import { statusLine } from './render/status-line.ts';
import { type Style, styleOf } from './render/style.ts';

/** What a person or a program sees of a run that is being followed. */
export interface Progress extends Disposable {
  readonly style: Style;
  event(event: Event): void;
  /** Something that is no event: never on standard output when that is for programs. */
  say(...lines: string[]): void;
  /** Room for a question; the status comes back with the next event. */
  hush(): void;
}

/** How much is shown, as flags of a command. */
export interface Loudness {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

export function detailOf({ quiet, verbose }: Loudness): EventView['detail'] {
  if (verbose === true) return 'full';
  return quiet === true ? 'quiet' : 'progress';
}

export function jsonProgress(context: CommandContext): Progress {
  return {
    style: styleOf(context.stderr, context.env),
    event: (event) => void context.stdout.write(`${printableJson(event)}\n`),
    say: (...lines) => void context.stderr.write(lines.map((line) => `${line}\n`).join('')),
    hush: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}

export interface HumanProgress {
  /** How the run is called in what is said. */
  readonly name: string;
  readonly detail?: EventView['detail'];
  /** Whether an approval is asked for at the terminal. */
  readonly asks?: boolean;
  /** What the status says about how to leave. */
  readonly leaving?: string;
}

/** Lines as things happen; on a terminal, below them what goes on, for how long, what it used so far, and how to leave. */
export function humanProgress(context: CommandContext, options: HumanProgress): Progress {
  const { name, detail = 'progress', asks = false, leaving = 'Ctrl-C: detach or cancel' } = options;
  const style = styleOf(context.stdout, context.env);
  const render = eventRenderer({
    ...style,
    detail,
    name,
    asks,
    live: style.redraws,
    get width() {
      return styleOf(context.stdout, context.env).width; // of the window as it is by then
    },
  });
  const status = statusLine(context.stdout, style, context.clock);
  const activity = trackActivity();
  return {
    style,
    event: (event) => {
      activity.add(event);
      if (event.kind === 'run.parked' || event.kind === 'run.ended') status.hide();
      else if (detail !== 'quiet')
        status.show((columns) => activity.lines({ now: context.clock.now(), columns, leaving }));
      status.print(render(event));
    },
    say: (...lines) => status.print(lines),
    hush: () => status.hide(),
    [Symbol.dispose]: () => status[Symbol.dispose](),
  };
}
