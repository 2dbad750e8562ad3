import type { Event, EventKind } from '../../domain/event.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { shortDuration } from './amount.ts';
import { checkLines } from './check.ts';
import { choicesOf } from './state.ts';
import { type Colour, paint, type Style } from './style.ts';
import { fit } from './width.ts';

export interface EventView extends Style {
  /** `progress`: a line for each thing, as while one waits; `full`: everything that agents said and tools answered. */
  readonly detail: 'progress' | 'full';
  /** How the run is called in commands that are proposed. */
  readonly name: string;
}

const INDENT = '    ';
const ONE_LINE = 160;

/** Lines for each event, in the order in which they come: it remembers when steps began, to tell how long they took. */
export function eventRenderer(view: EventView): (event: Event) => string[] {
  const began = new Map<string, number>();
  return (event) => {
    if (event.kind === 'step.started') began.set(stepOf(event), Date.parse(event.at));
    const since = 'node' in event && 'n' in event ? began.get(`${event.node}#${event.n}`) : undefined;
    const lines = linesFor(event, view, since === undefined ? undefined : Date.parse(event.at) - since);
    return view.detail === 'full' ? stamped(lines, event, view) : lines;
  };
}

type EventOf<Kind extends EventKind> = Extract<Event, { kind: Kind }>;

/** `tookMs` is the time since the event's step began, where that is known. */
type Draw<Kind extends EventKind> = (event: EventOf<Kind>, view: EventView, tookMs: number | undefined) => string[];

const DRAW: { readonly [Kind in EventKind]: Draw<Kind> } = {
  'run.started': (event, view) => [
    paint(view, 'bold', printableLine(event.title)),
    paint(view, 'dim', `blueprint ${printableLine(event.blueprint)}, from ${printableLine(event.base).slice(0, 10)}`),
  ],
  'run.parked': parkedLines,
  'run.resumed': (event, view) => [
    `${paint(view, 'cyan', '•')} ${printableLine(event.actor.name)}: ${printableLine(event.choice)}${detail(event.note)}`,
  ],
  'run.merged': (event, view) => [
    `${paint(view, 'green', '✓')} merged into ${printableLine(event.target)}: ${event.commit.slice(0, 10)}`,
  ],
  'run.ended': () => [],
  'step.started': (event, view) => [paint(view, 'cyan', `▸ ${stepName(event)}`)],
  'step.ended': (event, view, tookMs) => [stepEndedLine(event, view, tookMs)],
  'attempt.started': (event) =>
    event.attempt === 1 ? [] : [`${INDENT}attempt ${event.attempt} on ${printableLine(event.worker)}`],
  'attempt.ended': (event) =>
    event.result === 'ended' ? [] : [`${INDENT}attempt ${event.attempt}: ${event.result}${detail(event.detail)}`],
  'agent.session': (event, view) =>
    view.detail === 'full'
      ? [paint(view, 'dim', `${INDENT}${printableLine(event.agent)}, session ${printableLine(event.session)}`)]
      : [],
  'agent.text': (event, view) => textLines(event.text, view),
  'agent.tool': toolLines,
  'agent.usage': () => [],
  'check.ended': (event, view) => checkLines(event, view).map((line) => INDENT + line),
  message: (event, view) => [messageLine(event.level, event.text, view)],
  limit: (event, view) => [messageLine('warning', event.text, view)],
};

function linesFor<Kind extends EventKind>(event: EventOf<Kind>, view: EventView, tookMs: number | undefined): string[] {
  const draw = DRAW[event.kind] as Draw<Kind>;
  return draw(event, view, tookMs);
}

/** What the harness says, as in a message or in the notes before a run. */
export function messageLine(level: 'info' | 'warning', text: string, style: Style): string {
  return level === 'warning'
    ? `${paint(style, 'yellow', '!')} ${printableLine(text)}`
    : `${paint(style, 'dim', 'i')} ${printableLine(text)}`;
}

function parkedLines(event: EventOf<'run.parked'>, view: EventView): string[] {
  const { needs, reason } = event;
  const where = event.node === null ? '' : ` at ${printableLine(event.node)}`;
  // An approval's reason is what it asks, or that it waits.
  const why = needs.kind === 'approval' ? '' : `: ${printableLine(reason.message)}`;
  return [
    `${paint(view, 'yellow', '‖')} waits for a person${where}${why}`,
    ...(needs.files ?? []).map((file) => `${INDENT}${printableLine(file)}`),
    ...(needs.ask === undefined
      ? []
      : printable(needs.ask)
          .trim()
          .split('\n')
          .map((line) => INDENT + line)),
    ...choicesOf(needs.choices, view.name).map((line) => paint(view, 'dim', INDENT + line)),
  ];
}

const GOOD: ReadonlySet<string> = new Set([
  'done',
  'pass',
  'fixed',
  'approved',
  'merged',
  'delivered',
  'open',
  'selected',
  'found',
  'up',
  'sent',
]);
const BAD: ReadonlySet<string> = new Set([
  'fail',
  'error',
  'timeout',
  'stalled',
  'exhausted',
  'conflict',
  'rejected',
  'findings',
  'blocked',
]);

function stepEndedLine(event: EventOf<'step.ended'>, view: EventView, tookMs: number | undefined): string {
  const [symbol, colour]: [string, Colour] = GOOD.has(event.outcome)
    ? ['✓', 'green']
    : BAD.has(event.outcome)
      ? ['✗', 'red']
      : ['•', 'yellow'];
  const took = tookMs === undefined ? '' : paint(view, 'dim', ` · ${shortDuration(tookMs)}`);
  return `${paint(view, colour, symbol)} ${stepName(event)}  ${printableLine(event.outcome)}${took}${detail(event.detail)}`;
}

function textLines(text: string, view: EventView): string[] {
  const lines = printable(text).trim().split('\n');
  if (view.detail === 'full') return lines.map((line) => INDENT + line);
  const first = lines.find((line) => line.trim() !== '');
  return first === undefined ? [] : [oneLine(printableLine(first), view)];
}

function toolLines(event: EventOf<'agent.tool'>, view: EventView): string[] {
  const name = printableLine(event.name);
  if (event.phase === 'started') {
    const input = event.input ?? '';
    if (view.detail === 'full') return indented(`→ ${name} ${printable(input)}`, view);
    return [oneLine(`→ ${name} ${printableLine(input)}`, view)];
  }
  const failed = event.ok === false ? paint(view, 'red', ' failed') : '';
  if (view.detail === 'full')
    return [...indented(`← ${name}${failed}`, view), ...indented(printable(event.output ?? ''), view)];
  return event.ok === false ? [oneLine(`← ${name} failed: ${printableLine(event.output ?? '')}`, view)] : [];
}

function indented(text: string, view: EventView): string[] {
  const trimmed = text.trimEnd();
  return trimmed === '' ? [] : trimmed.split('\n').map((line) => paint(view, 'dim', INDENT + line));
}

function oneLine(text: string, view: EventView): string {
  return paint(view, 'dim', INDENT + fit(text.trim(), Math.min(view.width, ONE_LINE) - INDENT.length));
}

function stamped(lines: readonly string[], event: Event, view: EventView): string[] {
  const time = new Date(event.at).toTimeString().slice(0, 8);
  return lines.map((line, index) => `${paint(view, 'dim', index === 0 ? time : ' '.repeat(time.length))} ${line}`);
}

function stepName({ node, n }: { node: string; n: number }): string {
  return n === 1 ? printableLine(node) : `${printableLine(node)} #${n}`;
}

function stepOf({ node, n }: { node: string; n: number }): string {
  return `${node}#${n}`;
}

function detail(text: string | undefined): string {
  return text === undefined ? '' : `  ${printableLine(text)}`;
}
