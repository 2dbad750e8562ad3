import type { RunSummary } from '../../api/schemas.ts';
import type { RunState, RunStateKind } from '../../domain/run.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { type Colour, paint, type Style } from './style.ts';
import { fit, padEnd, widthOf } from './width.ts';

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

/** The same as `stateWords` without its reasons, for where they follow. */
export function stateHead(state: RunState): string {
  if (state.kind === 'parked') return 'waits for a person';
  return state.kind === 'failed' || state.kind === 'discarded' ? state.kind : stateWords(state);
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

/** What `nextCommands` looks at. */
export type RunToGoOn = Pick<RunSummary, 'state' | 'merged' | 'branch' | 'head' | 'base'>;

/** The commands that make sense next, each with what it does. `name` is how the run is called in them. */
export function nextCommands(run: RunToGoOn, name: string, columns: number): string[] {
  return rows(commandsFor(run, name), columns);
}

type Commands = readonly (readonly [command: string, text: string])[];

function commandsFor(run: RunToGoOn, name: string): Commands {
  const { state } = run;
  const hasChanged = run.head !== run.base.commit;
  switch (state.kind) {
    case 'parked':
      return answersTo(state, name);
    case 'succeeded':
      if (run.merged !== undefined || !hasChanged) return [];
      return [
        [`switchyard diff ${name}`, 'what it changed'],
        [`switchyard merge ${name}`, 'merge it'],
        [`switchyard checkout ${name}`, 'try it in your clone'],
        [`switchyard send ${name} "…"`, 'ask for more'],
      ];
    case 'failed':
    case 'cancelled':
      return [
        [`switchyard logs ${name}`, 'what happened'],
        ...(hasChanged
          ? [
              [`switchyard diff ${name}`, 'what it changed'] as const,
              [`switchyard checkout ${name}`, 'have it in your clone'] as const,
            ]
          : []),
        [`switchyard retry ${name}`, 'go on where it ended'],
        [`switchyard discard ${name}`, 'put it away'],
      ];
    case 'discarded':
      return [[`switchyard restore ${name}`, 'bring it back']];
    case 'queued':
    case 'running':
      return [
        [`switchyard logs -f ${name}`, 'follow it'],
        [`switchyard send ${name} "…"`, 'tell its agent something'],
        [`switchyard cancel ${name}`, 'stop it'],
      ];
  }
}

const CHOICES: Readonly<Record<string, string>> = {
  approved: 'go on with it',
  changes: 'say what should be different',
  retry: 'try again, with the full bound',
  abandoned: 'give it up; it can be restored',
};

/** What a person can do about a run that waits. To try again is only worth a mention where nothing can be approved. */
export function parkedCommands(parked: Waits, name: string, columns: number): string[] {
  return rows(answersTo(parked, name), columns);
}

/** Why a run waits, and what for. */
export type Waits = Pick<Extract<RunState, { kind: 'parked' }>, 'reason' | 'needs'>;

function answersTo({ reason, needs }: Waits, name: string): Commands {
  if (reason.code === 'open') return [[`switchyard open ${name} --back`, 'hand it back: it goes on where it was']];
  const { choices } = needs;
  const offered = choices.filter((choice) => choice !== 'retry' || !choices.includes('approved'));
  const answers = offered.map((choice): [string, string] => {
    if (choice === 'retry') return [`switchyard retry ${name}`, CHOICES['retry'] ?? ''];
    const flag = choice === 'approved' ? '' : ` --choice ${printableLine(choice)}`;
    const note = choice === 'changes' ? ' --note "…"' : '';
    return [`switchyard approve ${name}${flag}${note}`, CHOICES[choice] ?? ''];
  });
  return [
    [`switchyard diff ${name}`, 'what it changed'],
    ...(needs.kind === 'approval' || needs.kind === 'checkout'
      ? []
      : [[`switchyard open ${name}`, 'mend it by hand, then hand it back'] as const]),
    ...answers,
  ];
}

/** A command is never cut; what it does is told as far as there is room. */
function rows(pairs: Commands, columns: number): string[] {
  if (pairs.length === 0) return [];
  const longest = Math.max(...pairs.map(([command]) => widthOf(command)));
  const room = columns - longest - 2;
  return pairs.map(([command, text]) =>
    text === '' || room < LEAST_TEXT ? command : `${padEnd(command, longest)}  ${fit(text, room)}`,
  );
}

const LEAST_TEXT = 20;
