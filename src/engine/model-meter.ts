import type { Used } from '../domain/budget.ts';
import type { ModelCall } from '../domain/model-call.ts';
import { addUsage, NO_USAGE, type Usage } from '../domain/run.ts';
import type { ExceededBound, StepMeter } from '../ports/agent-model.ts';
import type { Admission, CallSoFar, ModelMeter, ModelRefusal, Pause, Upstream } from '../ports/model-gateway.ts';
import { type CallOrigin, recordModelCall } from '../store/model-calls.ts';
import { addConsumed, holdRun } from '../store/runs.ts';
import { isAtWork } from '../store/steps.ts';
import { notePause, pauseOf } from '../store/upstream-pauses.ts';
import type { Engine } from './engine.ts';
import { SpendingWatch } from './spending-watch.ts';

export interface MeterParts {
  readonly engine: Engine;
  readonly origin: CallOrigin;
  /** What the calls of this attempt may use, and what earlier ones have. */
  readonly bounds: Bounds;
  /** Told, for the run's journal. */
  readonly say: (text: string) => void;
  readonly tellUsage: (usage: Usage, model: string | null) => Promise<void>;
}

export interface Bounds {
  readonly tokens?: { readonly used: number; readonly max: number } | undefined;
  readonly cost?: { readonly used: number; readonly max: number } | undefined;
}

/** A rate limit that lasts longer is the agent's to know. */
const LONGEST_WAIT_MS = 60_000;
/** Those that wait for the same moment come one after the other. */
const SPREAD_MS = 1_000;

/**
 * Counts what one agent uses of its model in one attempt of a step, or in a person's hands, and stops it at a bound. Disposing resolves when
 * all that was counted is stored.
 */
export class AttemptMeter implements ModelMeter, StepMeter, AsyncDisposable {
  readonly #parts: MeterParts;
  readonly #exceeded = Promise.withResolvers<ExceededBound>();
  readonly #underWay = new Map<string, Usage>();
  #bound: ExceededBound | undefined;
  #ended: Usage = NO_USAGE;
  #reported: Usage = NO_USAGE;
  #storing: Promise<void> = Promise.resolve();
  readonly #said = new Set<string>();
  readonly #budgets: SpendingWatch;

  constructor(parts: MeterParts) {
    this.#parts = parts;
    this.#budgets = new SpendingWatch(parts.engine, parts.origin);
  }

  get usage(): Usage {
    return [...this.#underWay.values()].reduce(addUsage, this.#ended);
  }

  get exceeded(): ExceededBound | undefined {
    return this.#bound;
  }

  get untilExceeded(): Promise<ExceededBound> {
    return this.#exceeded.promise;
  }

  reported(usage: Usage): void {
    this.#reported = addUsage(this.#reported, usage);
  }

  async admit(upstream: Upstream, signal: AbortSignal): Promise<Admission> {
    try {
      return await this.#admit(upstream, signal);
    } catch {
      // Nothing is used that could not be counted.
      return refused('rate-limit', 'Switchyard cannot count what is used at the moment: its database is away.');
    }
  }

  async admitFree(): Promise<Admission> {
    try {
      return (await this.#holds()) ? { kind: 'admitted' } : LOST;
    } catch {
      return refused('rate-limit', 'Switchyard cannot look whose step this is at the moment: its database is away.');
    }
  }

  /** Whether the attempt has its step still. What a person does by hand belongs to no step. */
  async #holds(): Promise<boolean> {
    const { engine, origin } = this.#parts;
    return origin.step === null || isAtWork(engine.database, { step: origin.step, n: origin.attempt ?? 0 });
  }

  async #admit(upstream: Upstream, signal: AbortSignal): Promise<Admission> {
    const { database, clock } = this.#parts.engine;
    for (;;) {
      const now = clock.now();
      const [pause, holds] = await Promise.all([
        pauseOf(database, upstream, new Date(now)),
        this.#holds(),
        this.#budgets.read(),
      ]);
      if (!holds) return LOST;
      const limit = this.#check();
      if (limit !== undefined) return { kind: 'refused', refusal: limit };
      if (pause === undefined) return { kind: 'admitted' };
      if (pause.kind === 'quota') {
        const { until, model } = pause;
        return { kind: 'refused', refusal: { kind: 'quota', message: quotaText(upstream, pause), until, model } };
      }
      const waitMs = pause.until - now;
      if (waitMs > LONGEST_WAIT_MS)
        return refused('rate-limit', `${upstream.host} takes no requests${forModel(pause)} until ${iso(pause.until)}.`);
      this.#sayOnce(
        `${upstream.host} is at its rate limit${forModel(pause)}: requests wait until ${iso(pause.until)}.`,
      );
      await clock.sleep(waitMs + (this.#underWay.size % 10) * (SPREAD_MS / 10), signal);
      if (signal.aborted) return refused('rate-limit', 'It was given up.');
    }
  }

  used({ id, tokens, cost }: CallSoFar): ModelRefusal | undefined {
    const { engine, origin } = this.#parts;
    const usage = usageOf(tokens, cost);
    this.#underWay.set(id, usage);
    engine.spending.note(id, origin, spentBy(usage));
    this.#budgets.keepFresh();
    return this.#check();
  }

  ended(call: ModelCall): void {
    const { engine, origin } = this.#parts;
    const usage = call.tokens === null ? NO_USAGE : usageOf(call.tokens, call.cost);
    this.#underWay.delete(call.id);
    this.#ended = addUsage(this.#ended, usage);
    this.#check();
    // Where its last word alone is beyond a budget, it has come to its end all the same; the next is not admitted.
    engine.spending.end(call.id, origin, spentBy(usage));
    if (call.tokens !== null && call.cost === null) this.#tellUnpriced(call.model);
    this.#storing = this.#storing.then(() => this.#store(call, usage)).finally(() => engine.spending.settle(call.id));
    this.#storing = this.#storing.catch(() => undefined);
  }

  paused(upstream: Upstream, pause: Pause): void {
    const { engine } = this.#parts;
    this.#sayOnce(
      pause.kind === 'quota'
        ? quotaText(upstream, pause)
        : `${upstream.host} is at its rate limit${forModel(pause)} until ${iso(pause.until)}.`,
    );
    this.#storing = this.#storing.then(() => notePause(engine.database, upstream, pause)).catch(() => undefined);
  }

  /** No credential is left whose quota is not used up. */
  exhausted(upstream: Upstream, until: number): void {
    const { model } = upstream;
    const text = `${quotaText(upstream, { kind: 'quota', until, model })} The run goes on by itself then.`;
    this.#exceed({ limit: 'quota', used: 1, max: 1, text, until });
  }

  refused(text: string): void {
    this.#sayOnce(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#storing;
    this.#budgets[Symbol.dispose]();
    this.#tellDifference();
    const { engine, origin } = this.#parts;
    if (this.#reported !== NO_USAGE) {
      await addConsumed(engine.database, origin.run, { turns: 0, usage: NO_USAGE, reported: this.#reported });
    }
  }

  #check(): ModelRefusal | undefined {
    const { bounds } = this.#parts;
    const { input, output, cost } = this.usage;
    const tokens = input + output;
    const spent = this.#budgets.spent();
    if (bounds.tokens !== undefined && bounds.tokens.used + tokens >= bounds.tokens.max) {
      this.#exceed(boundText('tokens', bounds.tokens, tokens));
    } else if (bounds.cost !== undefined && bounds.cost.used + (cost ?? 0) >= bounds.cost.max) {
      this.#exceed(boundText('cost', bounds.cost, cost ?? 0));
    } else if (spent !== undefined) {
      this.#exceed({ limit: 'budget', used: 1, max: 1, text: spent });
    }
    return this.#bound && { kind: 'limit', message: this.#bound.text };
  }

  #exceed(bound: ExceededBound): void {
    if (this.#bound !== undefined) return;
    this.#bound = bound;
    this.#exceeded.resolve(bound);
  }

  async #store(call: ModelCall, usage: Usage): Promise<void> {
    const { engine, origin, tellUsage } = this.#parts;
    const isNew = await engine.database.transaction(async (queries) => {
      // The run first, as all do who write to it: the sums are everybody's, and nobody is to hold them while waiting for a run.
      await holdRun(queries, origin.run);
      const isFirst = await recordModelCall(queries, call, { origin, at: new Date(engine.clock.now()) });
      if (isFirst && call.tokens !== null) await addConsumed(queries, origin.run, { turns: 0, usage });
      return isFirst;
    });
    if (isNew && call.tokens !== null) await tellUsage(usage, call.model);
  }

  /** A bound on money does not see what nobody knows the price of. */
  #tellUnpriced(model: string | null): void {
    const { bounds } = this.#parts;
    const bounding = [
      ...(bounds.cost === undefined ? [] : ['the limit cost']),
      ...this.#budgets.states.flatMap(({ budget }) => (budget.cost === undefined ? [] : [`the budget ${budget.name}`])),
    ];
    if (bounding.length === 0) return;
    const what = model === null ? 'the model' : model;
    this.#sayOnce(
      `Nobody knows the price of ${what}: ${bounding.join(', ')} does not count it. See \`prices\` in config.yaml.`,
    );
  }

  /** Where the agent's own count is far from ours, one of both is wrong, and a person should know. */
  #tellDifference(): void {
    const [ours, theirs] = [this.#ended, this.#reported].map(({ input, output }) => input + output);
    if (theirs === undefined || ours === undefined || theirs === 0) return;
    if (Math.abs(ours - theirs) <= Math.max(NOTABLE_TOKENS, NOTABLE_SHARE * ours)) return;
    this.#parts.say(`The agent reports ${theirs} tokens; ${ours} have gone through the gateway.`);
  }

  /** What an agent makes it say is bounded, like all that is written down for one. */
  #sayOnce(whole: string): void {
    const text = whole.length > LONGEST_SAID ? `${whole.slice(0, LONGEST_SAID)}…` : whole;
    if (this.#said.has(text) || this.#said.size > MOST_SAID) return;
    this.#said.add(text);
    this.#parts.say(
      this.#said.size > MOST_SAID ? 'What else is refused on the way to the model is not written down.' : text,
    );
  }
}

const LONGEST_SAID = 500;
const MOST_SAID = 50;
const NOTABLE_TOKENS = 500;
const NOTABLE_SHARE = 0.05;

function usageOf({ input, output, cached, reasoning }: CallSoFar['tokens'], cost: number | null): Usage {
  return { input, output, cached, reasoning, cost };
}

const spentBy = ({ input, output, cost }: Usage): Used => ({ tokens: input + output, cost: cost ?? 0 });

function boundText(
  limit: 'tokens' | 'cost',
  { used, max }: { used: number; max: number },
  more: number,
): ExceededBound {
  const all = used + more;
  const unit = limit === 'tokens' ? 'tokens' : 'USD';
  const shown = limit === 'tokens' ? all : Math.round(all * 10_000) / 10_000;
  return {
    limit,
    used: all,
    max,
    text: `The agents of this run have used ${shown} of ${max} ${unit} (limit ${limit}).`,
  };
}

function refused(kind: ModelRefusal['kind'], message: string): Admission {
  return { kind: 'refused', refusal: { kind, message } };
}

function quotaText({ host, credential }: Upstream, pause: Pause): string {
  const whose = credential === null ? 'The quota' : `The quota of ${credential}`;
  return `${whose} at ${host}${forModel(pause)} is used up until ${iso(pause.until)}.`;
}

const forModel = ({ model }: Pause): string => (model === undefined ? '' : ` for ${model}`);

const LOST = refused('lost', 'Another attempt has taken this step over.');

const iso = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
