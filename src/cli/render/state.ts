import type { RunSummary } from '../../api/schemas.ts';
import type { RunState, RunStateKind } from '../../domain/run.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { type Colour, paint, type Style } from './style.ts';

const LOOKS: Readonly<Record<RunStateKind, { readonly symbol: string; readonly colour: Colour }>> = {
  queued: { symbol: '○', colour: 'dim' },
  running: { symbol: '▸', colour: 'cyan' },
  parked: { symbol: '‖', colour: 'yellow' },
  succeeded: { symbol: '✓', colour: 'green' },
  failed: { symbol: '✗', colour: 'red' },
  cancelled: { symbol: '■', colour: 'dim' },
  discarded: { symbol: '□', colour: 'dim' },
};

export function stateSymbol(kind: RunStateKind): string {
  return LOOKS[kind].symbol;
}

export function stateColour(kind: RunStateKind): Colour {
  return LOOKS[kind].colour;
}

/** The one place where a run's state becomes words. */
export function stateWords(state: RunState): string {
  switch (state.kind) {
    case 'queued':
    case 'running':
    case 'cancelled':
      return state.kind;
    case 'succeeded':
      return state.end === 'done' ? 'succeeded' : `succeeded (${printableLine(state.end)})`;
    case 'failed':
      return `failed: ${printableLine(state.reason.message)}`;
    case 'discarded':
      return state.reason === undefined ? 'discarded' : `discarded: ${printableLine(state.reason.message)}`;
    case 'parked': {
      const { reason, needs } = state;
      const about = needs.kind === 'approval' ? needs.ask : reason.message;
      return about === undefined ? 'waits for a person' : `waits for a person: ${firstLine(about)}`;
    }
  }
}

/** What a person is asked may be a page; its first line says what it is about. */
function firstLine(text: string): string {
  return printableLine(printable(text).trim().split('\n', 1)[0] ?? '');
}

/** `✓ succeeded`, coloured. */
export function stateLine(state: RunState, style: Style): string {
  return `${paint(style, stateColour(state.kind), stateSymbol(state.kind))} ${stateWords(state)}`;
}

/** The commands that make sense next, each with what it does. `name` is how the run is called in them. */
export function nextCommands(
  run: Pick<RunSummary, 'state' | 'merged' | 'branch' | 'head' | 'base'>,
  name: string,
): string[] {
  const { state } = run;
  switch (state.kind) {
    case 'parked':
      return choicesOf(state.needs.choices, name);
    case 'succeeded':
      if (run.merged !== undefined || run.head === run.base.commit) return [];
      return rows([
        [`switchyard diff ${name}`, 'what it changed'],
        [`switchyard merge ${name}`, 'merge it'],
      ]);
    case 'failed':
    case 'cancelled':
      return rows([
        [`switchyard logs ${name}`, 'what happened'],
        [`switchyard discard ${name}`, 'put it away'],
      ]);
    case 'discarded':
      return rows([[`switchyard restore ${name}`, 'bring it back']]);
    case 'queued':
    case 'running':
      return rows([
        [`switchyard logs -f ${name}`, 'follow it'],
        [`switchyard cancel ${name}`, 'stop it'],
      ]);
  }
}

const CHOICES: Readonly<Record<string, string>> = {
  approved: 'go on with it',
  changes: 'say what should be different',
  retry: 'try again, with the full bound',
  abandoned: 'give it up; it can be restored',
};

/** What a person can do about a run that waits. To try again is only worth a mention where nothing can be approved. */
export function choicesOf(choices: readonly string[], name: string): string[] {
  const offered = choices.filter((choice) => choice !== 'retry' || !choices.includes('approved'));
  const answers = offered.map((choice): [string, string] => {
    const flag = choice === 'approved' ? '' : ` --choice ${printableLine(choice)}`;
    const note = choice === 'changes' ? ' --note "…"' : '';
    return [`switchyard approve ${name}${flag}${note}`, CHOICES[choice] ?? ''];
  });
  return rows([[`switchyard diff ${name}`, 'what it changed'], ...answers]);
}

function rows(pairs: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...pairs.map(([command]) => command.length));
  return pairs.map(([command, text]) => (text === '' ? command : `${command.padEnd(width)}  ${text}`));
}
