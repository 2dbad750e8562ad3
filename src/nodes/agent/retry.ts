import type { AgentFailure } from '../../ports/agent.ts';

/** Failures that pass by themselves, with how often a turn is tried at all. Of the others a person has to hear. */
const TRIES: Partial<Record<AgentFailure['class'], number>> = { 'rate-limit': 3, network: 3, bug: 2 };
const FIRST_PAUSE_MS = 15_000;
const FACTOR = 4;
/** Of a server that asks for less. */
const SHORTEST_ASKED_MS = 1_000;
/** The longest that a step waits for a model's server at one go; whoever is asked to wait longer is a person. */
const LONGEST_PAUSE_MS = 5 * 60_000;

export type Retry =
  | { readonly kind: 'again'; readonly pauseMs: number; readonly nextTry: number; readonly of: number }
  /** `askedMs`: the pause that the server asks for, where that is why. */
  | { readonly kind: 'give-up'; readonly askedMs?: number };

/** What to do about a turn that failed for the `tries`th time in a row. */
export function retryOf(failure: AgentFailure, tries: number): Retry {
  const of = TRIES[failure.class] ?? 1;
  if (tries >= of) return { kind: 'give-up' };
  const askedMs = pauseIn(failure.message);
  if (askedMs !== undefined && askedMs > LONGEST_PAUSE_MS) return { kind: 'give-up', askedMs };
  const ownMs = failure.class === 'bug' ? 0 : Math.min(FIRST_PAUSE_MS * FACTOR ** (tries - 1), LONGEST_PAUSE_MS);
  return {
    kind: 'again',
    pauseMs: askedMs === undefined ? ownMs : Math.max(askedMs, SHORTEST_ASKED_MS),
    nextTry: tries + 1,
    of,
  };
}

/** What went wrong, in two words, for a line of the journal. */
export function inWords({ class: failureClass }: AgentFailure): string {
  if (failureClass === 'rate-limit') return 'rate-limited';
  return failureClass === 'network' ? 'the model’s server was not reached' : 'the agent’s program failed';
}

const ASKED =
  /(?:retry[-_ ]?after|try(?:ing)? again in|retry(?:ing)? in|wait(?: for)?)["':=\s]{1,4}(\d+(?:\.\d+)?)\s?(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?)?(?:(\d+)\s?s)?\b/i;

/** Milliseconds that a server's message asks to wait; seconds are meant where it gives no unit. */
function pauseIn(message: string): number | undefined {
  const found = ASKED.exec(message);
  if (found === null) return undefined;
  const [, amount = '0', unit = 's', seconds = '0'] = found;
  return Math.round(Number(amount) * unitMs(unit.toLowerCase()) + Number(seconds) * 1000);
}

function unitMs(unit: string): number {
  if (unit.startsWith('ms') || unit.startsWith('mil')) return 1;
  if (unit.startsWith('m')) return 60_000;
  return unit.startsWith('h') ? 3_600_000 : 1000;
}
