import { createHash } from 'node:crypto';
import { withoutTimes } from '../../checks/without-times.ts';
import { printableLine } from '../../lib/printable.ts';
import type { AgentEvent } from '../../ports/agent.ts';

/** That an agent goes round in circles, and how one can see it. */
export interface Loop {
  /** `cycle`: the same calls with the same results, in turns. `failure`: one call that fails alike whatever else is done. */
  readonly kind: 'cycle' | 'failure';
  /** The calls of one round, as a person reads them, in their order. */
  readonly calls: readonly string[];
  readonly times: number;
  /** Milliseconds since the epoch: the end of the first and of the last of these calls. */
  readonly first: number;
  readonly last: number;
  /** The end of the last call's output, in one line; empty when there was none. */
  readonly output: string;
}

/** The longest round that is looked for: of more different calls in turn some usually change something. */
const LONGEST_CYCLE = 4;
/** Of an edit some agents tell the paths alone, so that two that look alike need not be alike. */
const EDIT = /^(edit|write|patch|apply|create|update|insert|replace|str_replace|commit)/i;
/** A call that takes as long waits for something, and to ask again and again is how one waits. */
const WAITING_MS = 10_000;
/** How many failing calls are kept in mind. */
const MOST_FAILURES = 200;
const MAX_SHOWN = 120;

/** What a call shows: that one more round would be a loop, or that there is one. */
export type Sign =
  | { readonly kind: 'near'; readonly round: number }
  /** `round` is the number of calls in a round of a cycle. */
  | { readonly kind: 'loop'; readonly round: number; readonly loop: Loop };

/**
 * Notices, from the tool calls of one step, that an agent gets no further: rounds of one to four calls that come `repeats` times in a row with
 * the very same results, and a call that fails `repeats` times with the same output though other things were done in between. Output
 * that changes is progress, and so is waiting: a call that takes ten seconds or more belongs to no round.
 */
export class Repetition {
  readonly #repeats: number;
  readonly #now: () => number;
  readonly #running = new Map<string, { readonly name: string; readonly input: string; readonly since: number }>();
  /** The latest calls, newest last; no more than any round needs. */
  readonly #calls: Call[] = [];
  /** By length of a round: how many calls in a row were the same as the one a round before, and where that began. */
  readonly #rounds = Array.from({ length: LONGEST_CYCLE }, () => ({ same: 0, first: 0 }));
  readonly #failures = new Map<string, Failure>();

  constructor(repeats: number, now: () => number) {
    this.#repeats = repeats;
    this.#now = now;
  }

  /** Takes the step's events in order, over all its turns. */
  add(event: AgentEvent): readonly Sign[] {
    if (event.kind === 'tool-started') {
      const { name, input } = event;
      this.#running.set(event.call, { name, input, since: this.#now() });
    }
    if (event.kind === 'end') this.#running.clear();
    if (event.kind !== 'tool-ended') return [];
    const started = this.#running.get(event.call);
    this.#running.delete(event.call);
    const at = this.#now();
    const name = started?.name ?? event.name;
    const input = started?.input ?? '';
    const call: Call = {
      what: fingerprint(name, input),
      result: fingerprint(String(event.ok), event.output),
      waits: started !== undefined && at - started.since >= WAITING_MS,
      isOpaque: event.ok && EDIT.test(name) && !input.startsWith('{'),
      shown: shown(name, input),
      at,
      tail: lastLine(event.output),
    };
    return [...this.#cycles(call), ...this.#failure(call, event)];
  }

  /** The rounds so far count for nothing. */
  forgetRounds(): void {
    for (const round of this.#rounds) round.same = 0;
    this.#calls.length = 0;
  }

  #cycles(call: Call): Sign[] {
    const signs: Sign[] = [];
    for (const [index, round] of this.#rounds.entries()) {
      const length = index + 1;
      const before = this.#calls.at(-length);
      if (before === undefined || !isSame(before, call)) {
        round.same = 0;
        continue;
      }
      if (round.same === 0) round.first = before.at;
      round.same += 1;
      if (round.same === length * (this.#repeats - 2)) signs.push({ kind: 'near', round: length });
      if (round.same < length * (this.#repeats - 1)) continue;
      const calls = [...this.#calls, call].slice(-length).map(({ shown }) => shown);
      const { first } = round;
      const loop: Loop = { kind: 'cycle', calls, times: this.#repeats, first, last: call.at, output: call.tail };
      signs.push({ kind: 'loop', round: length, loop });
    }
    this.#calls.push(call);
    if (this.#calls.length > LONGEST_CYCLE) this.#calls.shift();
    return signs;
  }

  #failure(call: Call, { ok, output }: { readonly ok: boolean; readonly output: string }): Sign[] {
    const known = this.#failures.get(call.what);
    for (const [what, failure] of this.#failures) if (what !== call.what && !call.waits) failure.workedSince = true;
    this.#failures.delete(call.what);
    const result = fingerprint(withoutTimes(output));
    if (ok || output.trim() === '') return [];
    const again = known?.result === result ? known : { result, times: 0, first: call.at, workedSince: true };
    const failure = { ...again, times: again.times + (again.workedSince ? 1 : 0), workedSince: false };
    this.#failures.set(call.what, failure);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MOST_FAILURES && oldest !== undefined) this.#failures.delete(oldest);
    if (failure.times < this.#repeats) return [];
    const { times, first } = failure;
    const loop: Loop = { kind: 'failure', calls: [call.shown], times, first, last: call.at, output: call.tail };
    return [{ kind: 'loop', round: 1, loop }];
  }
}

/** What a person is told of it. */
export function loopText({ kind, calls, times, first, last, output }: Loop): string {
  const when = `first at ${clockTime(first)}, last at ${clockTime(last)} (UTC)`;
  const said = output === '' ? 'without any output' : `the output ends: ${output}`;
  const [call = ''] = calls;
  if (kind === 'failure') {
    return `The agent makes no progress: ${call} failed ${times} times with the same output, whatever else it did in between, ${when}; ${said}`;
  }
  if (calls.length === 1) {
    return `The agent makes no progress: it called ${call} ${times} times in a row with the same result, ${when}; ${said}`;
  }
  return `The agent makes no progress: it called ${calls.join(', then ')} in turns, ${times} times in a row with the same results, ${when}; ${said}`;
}

interface Call {
  readonly what: string;
  readonly result: string;
  readonly waits: boolean;
  /** What it told does not say what it did. */
  readonly isOpaque: boolean;
  readonly shown: string;
  readonly at: number;
  readonly tail: string;
}

interface Failure {
  readonly result: string;
  readonly times: number;
  readonly first: number;
  /** Whether anything but waiting was done since it failed last. */
  workedSince: boolean;
}

function isSame(a: Call, b: Call): boolean {
  return a.what === b.what && a.result === b.result && ![a, b].some(({ waits, isOpaque }) => waits || isOpaque);
}

/** Of texts that may be long, so that none need be kept. */
function fingerprint(...texts: readonly string[]): string {
  const hash = createHash('sha1');
  for (const text of texts) hash.update(`${text.length}:`).update(text);
  return hash.digest('base64');
}

function shown(name: string, input: string): string {
  const line = printableLine(input.slice(0, 4 * MAX_SHOWN));
  return line === '' ? name : `${name} \`${shortened(line)}\``;
}

function lastLine(output: string): string {
  const lines = output.slice(-4096).trimEnd().split('\n');
  return shortened(printableLine(lines.at(-1) ?? ''));
}

function shortened(line: string): string {
  return line.length <= MAX_SHOWN ? line : `${line.slice(0, MAX_SHOWN - 1).toWellFormed()}…`;
}

function clockTime(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
