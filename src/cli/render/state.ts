import type { RunSummary } from '../../api/schemas/run.ts';
import type { Needs, RunState, RunStateKind } from '../../domain/run.ts';
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
  if (state.kind === 'parked') return waitsFor(state.needs);
  return state.kind === 'failed' || state.kind === 'discarded' ? state.kind : stateWords(state);
}

/** For whom or what a parked run waits. */
export function waitsFor({ until }: Needs): string {
  return until === undefined ? 'waits for a person' : `waits until ${until.slice(0, 19).replace('T', ' ')} UTC`;
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
      return about === undefined ? waitsFor(needs) : `${waitsFor(needs)}: ${beginning(about)}`;
    }
  }
}

/** What a person is asked may be a page; its first paragraph, which may be broken into lines, says what it is about. */
function beginning(text: string): string {
  const [first = ''] = printable(text)
    .trim()
    .split(/\n\s*\n/, 1);
  return printableLine(first.replace(/\s*\n\s*/g, ' '));
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
        // What was not delivered is on no branch that could be merged.
        ...(run.branch === null ? [] : [[`switchyard merge ${name}`, 'merge it'] as const]),
        [
          `switchyard checkout ${name}`,
          run.branch === null ? 'have it on a branch of your clone' : 'try it in your clone',
        ],
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
  abandoned: 'give it up; it can be restored',
};

/** What a person can do about a run that waits. To try again is only worth a mention where nothing can be approved. */
export function parkedCommands(parked: Waits, name: string, columns: number): string[] {
  return rows(answersTo(parked, name), columns);
}

/** Why a run waits, and what for. */
export type Waits = Pick<Extract<RunState, { kind: 'parked' }>, 'reason' | 'needs'>;

function answersTo(parked: Waits, name: string): Commands {
  const { reason, needs } = parked;
  if (reason.code === 'open') return [[`switchyard open ${name} --back`, 'hand it back: it goes on where it was']];
  const { choices, until } = needs;
  const offered = choices.filter((choice) => choice !== 'retry' || !choices.includes('approved'));
  const answers = offered.map((choice): [string, string] => {
    if (choice === 'retry') return [`switchyard retry ${name}`, retryText(parked)];
    const flag = choice === 'approved' ? '' : ` --choice ${printableLine(choice)}`;
    const note = choice === 'changes' ? ' --note "…"' : '';
    return [`switchyard approve ${name}${flag}${note}`, CHOICES[choice] ?? ''];
  });
  return [
    ...(until === undefined ? [] : [[`switchyard logs -f ${name}`, 'follow it when it goes on'] as const]),
    [`switchyard diff ${name}`, 'what it changed'],
    ...waysToMend(parked, name),
    ...(isNoteHeard(needs)
      ? [
          [
            `switchyard approve ${name} --choice retry --note "…"`,
            'tell its agent, which tries again with that',
          ] as const,
        ]
      : []),
    ...answers,
  ];
}

/** Whether the agent that tries again is told what a person says with it: not where a retry only asks the same question again. */
export function isNoteHeard({ kind, choices }: Needs): boolean {
  // A node's own choices come first, and what every park offers after them.
  return kind === 'approval' && choices[0] === 'retry';
}

/** What was handed back to wait can be opened again; files in the way of a merge are not in the run's workspace. */
const HANDED_BACK = 'open/waits';
const CONFLICT = 'merge/conflict';
const BRANCH_MOVED = 'deliver/branch-moved';
const TARGET_BUSY = 'merge/target-busy';
const RED_CHECKS = 'merge/red-checks';

function waysToMend({ reason: { code }, needs: { kind } }: Waits, name: string): Commands {
  if (kind === 'approval' || (kind === 'checkout' && code !== HANDED_BACK)) return [];
  const told = [`switchyard send ${name} "…"`, 'tell its agent, which goes on with that'] as const;
  // The run's workspace has only one of the two sides: neither its agent nor a person can bring them together there.
  if (code === CONFLICT) return [[`switchyard merge ${name}`, 'once you have merged its branch by hand']];
  if (code === BRANCH_MOVED) return [[`switchyard checkout ${name} --branch NAME`, 'have its work on another branch']];
  if (code === TARGET_BUSY) return [];
  const byHand = [`switchyard open ${name}`, 'mend it by hand, then hand it back'] as const;
  return kind === 'error' && code !== 'outcome/unchanged' ? [byHand] : [byHand, told];
}

function retryText({ reason: { code }, needs: { kind, until, verify } }: Waits): string {
  if (verify !== undefined) return 'check what you changed';
  if (until !== undefined) return 'try at once, and not only then';
  if (code === HANDED_BACK) return 'let it go on where it was';
  if (code === CONFLICT || code === TARGET_BUSY) return 'look at the target again';
  if (code === BRANCH_MOVED) return 'try again, when that branch is out of the way';
  if (code === RED_CHECKS) return 'run the checks again';
  if (kind === 'limit') return 'try again, with this bound in full';
  return kind === 'checkout' ? 'try again, when nothing is in the way' : 'try again';
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
