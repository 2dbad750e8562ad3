import type { Event } from '../../domain/event.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { shortDuration } from './amount.ts';
import { checkLines, findingLines, foundBy } from './check.ts';
import type { EventView } from './event.ts';
import { type Colour, paint } from './style.ts';
import { fit, padEnd, wrap } from './width.ts';

type StepStarted = Extract<Event, { kind: 'step.started' }>;
type StepEnded = Extract<Event, { kind: 'step.ended' }>;
type CheckEnded = Extract<Event, { kind: 'check.ended' }>;

const INDENT = '    ';
const ONE_LINE = 160;
/** An agent's last words are for reading; a program that calls everything a word is not read to its end here. */
const MOST_LINES = 40;

/**
 * The lines about steps, one of which is at work at a time. What an agent says is kept until it goes on with something else (then its
 * first line is enough) or its step ends (then it was its answer, and is shown whole).
 */
export class StepLines {
  readonly #view: EventView;
  readonly #began = new Map<string, number>();
  #words: string[] = [];
  #checks: CheckEnded[] = [];

  constructor(view: EventView) {
    this.#view = view;
  }

  start(event: StepStarted): void {
    this.#began.set(keyOf(event), Date.parse(event.at));
    this.#words = [];
    this.#checks = [];
  }

  say(text: string): void {
    this.#words.push(text);
  }

  check(event: CheckEnded): void {
    this.#checks.push(event);
  }

  /** What is due before this event: words that turn out not to have been the last. */
  before(event: Event): string[] {
    if (this.#words.length === 0 || event.kind !== 'agent.tool' || event.phase !== 'started') return [];
    const [first] = linesOf(this.#words);
    this.#words = [];
    if (this.#view.live || first === undefined) return [];
    const { width } = this.#view;
    return [paint(this.#view, 'dim', INDENT + fit(first.trim(), Math.min(width, ONE_LINE) - INDENT.length))];
  }

  /** The step's outcome and how long it took, with what its agent said at the end and what its checks found. */
  end(event: StepEnded): string[] {
    const view = this.#view;
    const began = this.#began.get(keyOf(event));
    const took = began === undefined ? '' : shortDuration(Date.parse(event.at) - began);
    const words = this.#lastWords(event);
    const checks = this.#checkFacts(event);
    this.#words = [];
    this.#checks = [];
    return [
      ...(view.live ? [] : words),
      ...outcomeLines(event, view, { took, detail: checks.detail }),
      ...(view.live ? words : []),
      ...checks.lines.map((line) => INDENT + line),
    ];
  }

  /** Green checks are named beside the step, red ones shown below it; a single one needs no line of its own. */
  #checkFacts({ node, detail = '' }: StepEnded): { readonly detail: string; readonly lines: readonly string[] } {
    const view = { ...this.#view, all: false, width: this.#view.width - INDENT.length };
    const checks = this.#checks;
    const [only] = checks;
    const isRed = checks.some(({ verdict }) => verdict !== 'pass');
    if (!isRed) {
      const names = checks.map(({ check }) => check).filter((check) => check !== node);
      return { detail: detail === '' ? names.join(', ') : detail, lines: [] };
    }
    if (checks.length > 1 || only === undefined)
      return { detail, lines: checks.flatMap((check) => checkLines(check, view)) };
    const found = foundBy(only);
    return { detail: found === '' ? detail : `${only.check}: ${found}`, lines: findingLines(only, view) };
  }

  #lastWords({ node }: StepEnded): string[] {
    const view = this.#view;
    const lines = linesOf(this.#words);
    const shown = lines.slice(-MOST_LINES).flatMap((line) => wrap(INDENT + line, view.width));
    const left = lines.length - MOST_LINES;
    const more = `${INDENT}… ${left} lines before these: switchyard logs ${view.name} --step ${printableLine(node)}`;
    return (left > 0 ? [more, ...shown] : shown).map((line) => paint(view, 'dim', line));
  }
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

/** Wide enough for most names of nodes and outcomes; longer ones push what follows to the right. */
const NAME_COLUMN = 14;
const OUTCOME_COLUMN = 9;

function outcomeLines(event: StepEnded, view: EventView, { took, detail }: { took: string; detail: string }): string[] {
  const [symbol, colour]: [string, Colour] = GOOD.has(event.outcome)
    ? ['✓', 'green']
    : BAD.has(event.outcome)
      ? ['✗', 'red']
      : ['•', 'yellow'];
  const name = padEnd(stepName(event), NAME_COLUMN);
  const head = `${name}  ${padEnd(printableLine(event.outcome), OUTCOME_COLUMN)}  ${took}`.trimEnd();
  const text = printableLine(detail);
  const first = paint(view, colour, symbol);
  const beside = text === '' ? head : `${head}  ${text}`;
  if (wrap(beside, view.width - 2).length === 1) return [`${first} ${beside}`];
  return [`${first} ${head}`, ...wrap(INDENT + text, view.width)];
}

export function stepName({ node, n }: { node: string; n: number }): string {
  return n === 1 ? printableLine(node) : `${printableLine(node)} #${n}`;
}

function keyOf({ node, n }: { node: string; n: number }): string {
  return `${node}#${n}`;
}

function linesOf(words: readonly string[]): string[] {
  const lines = printable(words.join('\n')).trim().split('\n');
  return lines.length === 1 && lines[0] === '' ? [] : lines.map((line) => line.trimEnd());
}
