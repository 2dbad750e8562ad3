import { basename } from 'node:path';
import type { RunSummary } from '../../api/schemas/run.ts';
import { printableLine } from '../../lib/printable.ts';
import { ago, shortCount, shortMoment, shortMoney } from './amount.ts';
import { stateColour, stateSymbol, stateWords } from './state.ts';
import { paint, type Style } from './style.ts';
import { table } from './table.ts';
import { fit } from './width.ts';

/** Runs as `ls` lists them, newest first. */
export function runTable(
  runs: readonly RunSummary[],
  style: Style,
  facts: { now: number; repositories: boolean },
): string[] {
  const head = ['', 'RUN', 'STATE', 'NODE', 'AGENT', 'USED', 'AGE', ...(facts.repositories ? ['REPOSITORY'] : [])];
  const rows = runs.map((run) => [
    stateSymbol(run.state.kind),
    printableLine(run.slug),
    fit(listedState(run, facts.now), LONGEST_STATE),
    nodeOf(run),
    printableLine(run.agent ?? ''),
    usedBy(run),
    ago(Date.parse(run.createdAt), facts.now),
    ...(facts.repositories ? [repositoryOf(run, runs)] : []),
  ]);
  return table([head, ...rows], style, {
    shrink: [
      [STATE, 28],
      [RUN, 24],
      [STATE, 8],
      [RUN, 8],
    ],
    paint: (cell, row, column) => {
      const run = runs[row - 1];
      if (run === undefined) return paint(style, 'dim', cell);
      return column === 0 || column === STATE ? paint(style, stateColour(run.state.kind), cell) : cell;
    },
  });
}

const RUN = 1;
const STATE = 2;
/** A reason that is longer is for `why`. */
const LONGEST_STATE = 60;

/** What the run waits for comes first: the rest may be cut off. */
function listedState({ state, at, merged }: RunSummary, now: number): string {
  switch (state.kind) {
    case 'queued':
      return 'waits for a place';
    case 'running':
      return at?.state === 'waiting' ? 'waits for a place' : 'running';
    case 'parked': {
      const { needs, reason } = state;
      if (needs.until !== undefined)
        return `waits until ${shortMoment(needs.until, now)}: ${printableLine(reason.message)}`;
      return needs.kind === 'approval'
        ? 'waits for your answer'
        : `waits for you: ${needs.kind}: ${printableLine(reason.message)}`;
    }
    case 'succeeded':
      return merged === undefined ? stateWords(state) : 'merged';
    case 'failed':
    case 'cancelled':
    case 'discarded':
      return stateWords(state);
  }
}

/** Where it is; of a run that is over, where it ended is not worth a look. */
function nodeOf({ state, at }: RunSummary): string {
  if (at === null || state.kind === 'succeeded' || state.kind === 'discarded') return '';
  return at.n === 1 ? printableLine(at.node) : `${printableLine(at.node)} #${at.n}`;
}

/** Money where it is known, else tokens. */
function usedBy({ usage }: RunSummary): string {
  if (usage.cost !== null) return shortMoney(usage.cost);
  const tokens = usage.input + usage.output;
  return tokens === 0 ? '' : `${shortCount(tokens)} tokens`;
}

/** The folder's name, unless another of the list has the same. */
function repositoryOf({ repository }: RunSummary, runs: readonly RunSummary[]): string {
  const name = basename(repository);
  const isShared = runs.some((other) => other.repository !== repository && basename(other.repository) === name);
  return printableLine(isShared ? repository : name);
}
