import type { Event, EventKind, MessageState } from '../../domain/event.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { checkLines } from './check.ts';
import { parkedCommands, type Waits, waitsFor } from './state.ts';
import { StepLines, stepName } from './step.ts';
import { paint, type Style } from './style.ts';
import { fit, wrap } from './width.ts';

export interface EventView extends Style {
  /**
   * `quiet`: where a person is needed, and nothing else; `progress`: a line for each thing, as while one waits; `full`: everything that
   * agents said and tools answered.
   */
  readonly detail: 'quiet' | 'progress' | 'full';
  /** Whether what goes on is seen in a status that is drawn again and again: `progress` then has a step when it is over. */
  readonly live: boolean;
  /** How the run is called in commands that are proposed. */
  readonly name: string;
  /** Whether the person is asked for an approval right afterwards: then no command for it is proposed. */
  readonly asks?: boolean;
}

const INDENT = '    ';
const ONE_LINE = 160;
const SAID_LINES = 4;

/** Lines for each event, in the order in which they come: it remembers what belongs to a step until that is over. */
export function eventRenderer(view: EventView): (event: Event) => string[] {
  const steps = new StepLines(view);
  const said = new Said();
  return (event) => {
    if (view.detail === 'quiet') return event.kind === 'run.parked' ? parkedLines(event, view) : [];
    const once = said.without(event);
    const lines = linesFor(once, view, steps);
    said.add(event, lines);
    if (view.detail === 'full') return stamped(lines, event, view);
    return [...steps.before(event), ...lines];
  };
}

/** What a limit, the end of a step and a park say of the same thing is told once. */
class Said {
  #text = '';

  add({ kind }: Event, lines: readonly string[]): void {
    if (kind === 'step.started') this.#text = '';
    if (kind === 'limit' || kind === 'step.ended') this.#text += ` ${inOneLine(lines.join(' '))}`;
  }

  without(event: Event): Event {
    if (event.kind === 'step.ended' && event.detail !== undefined && this.#has(event.detail)) {
      const { detail: _, ...rest } = event;
      return rest;
    }
    if (event.kind === 'run.parked' && this.#has(event.reason.message))
      return { ...event, reason: { ...event.reason, message: '' } };
    return event;
  }

  #has(text: string): boolean {
    return text !== '' && this.#text.includes(inOneLine(printableLine(text)));
  }
}

function inOneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

type EventOf<Kind extends EventKind> = Extract<Event, { kind: Kind }>;
type Draw<Kind extends EventKind> = (event: EventOf<Kind>, view: EventView, steps: StepLines) => string[];

const DRAW: { readonly [Kind in EventKind]: Draw<Kind> } = {
  'run.started': (event, view) => [
    ...wrap(printableLine(event.title), view.width).map((line) => paint(view, 'bold', line)),
    paint(view, 'dim', `blueprint ${printableLine(event.blueprint)}, from ${printableLine(event.base).slice(0, 10)}`),
  ],
  'run.parked': (event, view) => parkedLines(event, view),
  'run.resumed': (event, view) => [
    `${paint(view, 'cyan', '•')} ${printableLine(event.actor.name)}: ${printableLine(event.choice)}${detail(event.note)}${at(event.node)}`,
  ],
  'run.merged': (event, view) => [
    `${paint(view, 'green', '✓')} merged into ${printableLine(event.target)}: ${event.commit.slice(0, 10)}`,
  ],
  'run.ended': () => [],
  'step.started': (event, view, steps) => {
    steps.start(event);
    return view.live && view.detail === 'progress' ? [] : [paint(view, 'cyan', `▸ ${stepName(event)}`)];
  },
  'step.ended': (event, _, steps) => steps.end(event),
  'attempt.started': (event) =>
    event.attempt === 1 ? [] : [`${INDENT}attempt ${event.attempt} on ${printableLine(event.worker)}`],
  'attempt.ended': (event) =>
    event.result === 'ended' ? [] : [`${INDENT}attempt ${event.attempt}: ${event.result}${detail(event.detail)}`],
  'agent.session': (event, view) =>
    view.detail === 'full'
      ? [paint(view, 'dim', `${INDENT}${printableLine(event.agent)}, session ${printableLine(event.session)}`)]
      : [],
  'agent.text': (event, view, steps) => {
    if (view.detail === 'full')
      return printable(event.text)
        .trim()
        .split('\n')
        .map((line) => INDENT + line);
    steps.say(event.text);
    return [];
  },
  'agent.tool': (event, view) => (view.detail === 'full' ? fullToolLines(event, view) : toolLines(event, view)),
  'agent.usage': () => [],
  'check.ended': (event, view, steps) => {
    if (view.live && view.detail === 'progress') {
      steps.check(event);
      return [];
    }
    const all = view.detail === 'full';
    return checkLines(event, { ...view, all, width: view.width - INDENT.length }).map((line) => INDENT + line);
  },
  message: (event, view) =>
    event.sent === undefined ? messageLines(event.level, event.text, view) : sentLines(event, event.sent.state, view),
  limit: (event, view) => messageLines('warning', event.text, view),
};

function linesFor<Kind extends EventKind>(event: EventOf<Kind>, view: EventView, steps: StepLines): string[] {
  const draw = DRAW[event.kind] as Draw<Kind>;
  return draw(event, view, steps);
}

/** What the harness says, as in a message or in the notes before a run. */
export function messageLines(level: 'info' | 'warning', text: string, style: Style): string[] {
  const symbol = level === 'warning' ? paint(style, 'yellow', '!') : paint(style, 'dim', 'i');
  return wrap(printableLine(text), style.width - 2).map((line, index) => `${index === 0 ? symbol : ' '} ${line}`);
}

/** What a person says to the agent: the first lines of it, unless all is wanted. */
function sentLines(event: EventOf<'message'>, state: MessageState, view: EventView): string[] {
  if (state === 'delivered') return [paint(view, 'dim', `${INDENT}${printableLine(event.text)}`)];
  const lines = wrapAll(`${printableLine(event.actor.name)}: ${printable(event.text).trim()}`, view.width - 2);
  const shown = view.detail === 'full' ? lines : lines.slice(0, SAID_LINES);
  const more = shown.length < lines.length ? [paint(view, 'dim', `  … ${lines.length - shown.length} more lines`)] : [];
  return [...shown.map((line, index) => `${index === 0 ? paint(view, 'cyan', '»') : ' '} ${line}`), ...more];
}

function wrapAll(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrap(line, width));
}

function at(node: string | undefined): string {
  return node === undefined ? '' : `, at ${printableLine(node)}`;
}

function parkedLines(event: EventOf<'run.parked'>, view: EventView): string[] {
  const { needs, reason } = event;
  const where = event.node === null ? '' : ` at ${printableLine(event.node)}`;
  // An approval's reason is what it asks, or that it waits.
  const why = needs.kind === 'approval' || reason.message === '' ? '' : `: ${printableLine(reason.message)}`;
  const [first = '', ...more] = wrap(`${waitsFor(needs)}${where}${why}`, view.width - 2);
  const alone = needs.until === undefined ? [] : ['It goes on by itself then.'];
  const asked = needs.ask === undefined ? [] : printable(needs.ask).trim().split('\n');
  return [
    `${paint(view, 'yellow', '‖')} ${first}`,
    ...[...more, ...alone].map((line) => `  ${line}`),
    ...(needs.files ?? []).map((file) => `${INDENT}${printableLine(file)}`),
    ...asked.flatMap((line) => wrap(INDENT + line, view.width)),
    ...(view.asks === true && needs.kind === 'approval' ? [] : waysOn(event, view)),
  ];
}

/** What can be typed about a run that waits. */
export function waysOn(parked: Waits, view: Style & { readonly name: string }): string[] {
  const commands = parkedCommands(parked, view.name, view.width - INDENT.length);
  return commands.map((line) => paint(view, 'dim', INDENT + line));
}

function toolLines(event: EventOf<'agent.tool'>, view: EventView): string[] {
  if (view.live) return [];
  const name = printableLine(event.name);
  if (event.phase === 'started') return [oneLine(`→ ${name} ${printableLine(event.input ?? '')}`, view)];
  return event.ok === false ? [oneLine(`← ${name} failed: ${printableLine(event.output ?? '')}`, view)] : [];
}

function fullToolLines(event: EventOf<'agent.tool'>, view: EventView): string[] {
  const name = printableLine(event.name);
  if (event.phase === 'started') return indented(`→ ${name} ${printable(event.input ?? '')}`, view);
  const failed = event.ok === false ? paint(view, 'red', ' failed') : '';
  return [...indented(`← ${name}${failed}`, view), ...indented(printable(event.output ?? ''), view)];
}

function indented(text: string, view: EventView): string[] {
  const trimmed = text.trimEnd();
  return trimmed === '' ? [] : trimmed.split('\n').map((line) => paint(view, 'dim', INDENT + line));
}

/** For what need not be read to its end: cut where the terminal ends. */
function oneLine(text: string, view: Style): string {
  return paint(view, 'dim', INDENT + fit(text.trim(), Math.min(view.width, ONE_LINE) - INDENT.length));
}

function stamped(lines: readonly string[], event: Event, view: EventView): string[] {
  const time = new Date(event.at).toTimeString().slice(0, 8);
  return lines.map((line, index) => `${paint(view, 'dim', index === 0 ? time : ' '.repeat(time.length))} ${line}`);
}

function detail(text: string | undefined): string {
  return text === undefined ? '' : `  ${printableLine(text)}`;
}
