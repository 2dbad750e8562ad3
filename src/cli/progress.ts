import type { Event } from '../domain/event.ts';
import { addUsage, NO_USAGE } from '../domain/run.ts';
import { printableJson, printableLine } from '../lib/printable.ts';
import type { CommandContext } from './context.ts';
import { shortDuration, shortUsage } from './render/amount.ts';
import { eventRenderer } from './render/event.ts';
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

export function jsonProgress(context: CommandContext): Progress {
  return {
    style: styleOf(context.stderr, context.env),
    event: (event) => void context.stdout.write(`${printableJson(event)}\n`),
    say: (...lines) => void context.stderr.write(lines.map((line) => `${line}\n`).join('')),
    hush: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}

/** Lines as things happen; on a terminal, below them one that tells what is at work, for how long, the tokens so far, and how to leave. */
export function humanProgress(context: CommandContext, name: string, leaving = 'Ctrl-C to leave or cancel'): Progress {
  const style = styleOf(context.stdout, context.env);
  const render = eventRenderer({ ...style, detail: 'progress', name });
  const status = statusLine(context.stdout, style, context.clock);
  let began: number | undefined;
  let node: string | undefined;
  let usage = NO_USAGE;
  const text = (): string => {
    const elapsed = began === undefined ? undefined : shortDuration(context.clock.now() - began);
    return [node === undefined ? 'waiting for a place' : printableLine(node), elapsed, shortUsage(usage), leaving]
      .filter((part) => part !== undefined && part !== '')
      .join(' · ');
  };
  return {
    style,
    event: (event) => {
      began ??= Date.parse(event.at);
      if (event.kind === 'step.started') node = event.node;
      if (event.kind === 'step.ended') node = 'on to the next step';
      if (event.kind === 'agent.usage') usage = addUsage(usage, event.usage);
      if (event.kind === 'run.parked' || event.kind === 'run.ended') status.hide();
      else status.show(text);
      status.print(render(event));
    },
    say: (...lines) => status.print(lines),
    hush: () => status.hide(),
    [Symbol.dispose]: () => status[Symbol.dispose](),
  };
}
