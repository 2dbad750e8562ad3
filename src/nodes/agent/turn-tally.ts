import { addUsage, NO_USAGE, type Usage, usageSince } from '../../domain/run.ts';
import type { AgentEvent } from '../../ports/agent.ts';
import type { StepMeter } from '../../ports/agent-model.ts';
import type { TurnLimits, TurnReport, TurnResult } from './turn.ts';

type EndEvent = Extract<AgentEvent, { kind: 'end' }>;
type Exceeded = Extract<TurnResult, { kind: 'limit' }>;

const MAX_TEXT = 64 * 1024;
const ANSWERS: ReadonlySet<AgentEvent['kind']> = new Set(['text', 'tool-started', 'tool-ended', 'usage']);

/** What one turn's events add up to. */
export class TurnTally {
  readonly #limits: TurnLimits;
  readonly #meter: StepMeter | undefined;
  readonly #meteredBefore: Usage;
  readonly #runningTools = new Set<string>();
  #usage: Usage = NO_USAGE;
  #turns = 0;
  #session: string | undefined;
  #answered = false;
  #text = '';
  #end: EndEvent | undefined;

  constructor(limits: TurnLimits, meter?: StepMeter) {
    this.#limits = limits;
    this.#meter = meter;
    this.#meteredBefore = meter?.usage ?? NO_USAGE;
  }

  /** The first end; whatever follows it counts for nothing. */
  get end(): EndEvent | undefined {
    return this.#end;
  }

  get toolIsRunning(): boolean {
    return this.#runningTools.size > 0;
  }

  /** The first limit that is exceeded: turns beyond their number, tokens and money as soon as all is spent. */
  get exceeded(): Exceeded | undefined {
    const { turns, tokens, cost } = this.#limits;
    const usedTurns = (turns?.used ?? 0) + this.#turns;
    if (turns !== undefined && usedTurns > turns.max) return exceeded('turns', usedTurns, turns.max);
    if (this.#meter !== undefined) return this.#meter.exceeded && { kind: 'limit', ...this.#meter.exceeded };
    const usedTokens = (tokens?.used ?? 0) + this.#usage.input + this.#usage.output;
    if (tokens !== undefined && usedTokens >= tokens.max) return exceeded('tokens', usedTokens, tokens.max);
    const usedCost = (cost?.used ?? 0) + (this.#usage.cost ?? 0);
    return cost !== undefined && usedCost >= cost.max ? exceeded('cost', usedCost, cost.max) : undefined;
  }

  /** False for an event that says nothing new: one after the end, a session that is known. */
  add(event: AgentEvent): boolean {
    if (this.#end !== undefined) return false;
    if (event.kind === 'session' && event.id === this.#session) return false;
    this.#count(event);
    return true;
  }

  /** For when an end of a tool may have been missed: better to ask a working agent for patience than to wait for a dead one. */
  forgetTools(): void {
    this.#runningTools.clear();
  }

  report(result: TurnResult): TurnReport {
    return {
      result,
      usage: this.#meter === undefined ? this.#usage : usageSince(this.#meteredBefore, this.#meter.usage),
      turns: this.#turns,
      session: this.#session,
      answered: this.#answered,
      text: lastOf(this.#text),
    };
  }

  #count(event: AgentEvent): void {
    this.#answered ||= ANSWERS.has(event.kind);
    switch (event.kind) {
      case 'session':
        this.#session = event.id;
        break;
      case 'text':
        this.#text = this.#text === '' ? event.text : `${this.#text}\n${event.text}`;
        // Cut only now and then, so that many short texts do not cost a copy each.
        if (this.#text.length > 4 * MAX_TEXT) this.#text = lastOf(this.#text);
        break;
      case 'tool-started':
        this.#runningTools.add(event.call);
        this.#turns += 1;
        this.#text = '';
        break;
      case 'tool-ended':
        this.#runningTools.delete(event.call);
        break;
      case 'usage':
        this.#usage = addUsage(this.#usage, event.usage);
        break;
      case 'end':
        this.#end = event;
        this.#runningTools.clear();
        if (event.result.kind === 'done') this.#turns += 1;
        break;
      case 'warning':
        break;
    }
  }
}

function exceeded(limit: 'turns' | 'tokens' | 'cost', used: number, max: number): Exceeded {
  return { kind: 'limit', limit, used, max, text: `The agents of this run have used ${used} of ${max} ${limit}.` };
}

function lastOf(text: string): string {
  return text.slice(-MAX_TEXT).toWellFormed();
}
