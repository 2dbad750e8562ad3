import type { AgentEntry } from '../domain/agent-entry.ts';
import type { ModelCall, ModelTokens } from '../domain/model-call.ts';
import type { Bridge } from './sandbox.ts';

/**
 * The way of one attempt's agent to its model: an address that only this attempt's token opens. Real credentials are added behind it, and all
 * that is used is counted. Disposing ends the way, the token, and what is under way.
 */
export interface ModelWay extends AsyncDisposable {
  /** The agent as it is to be told: its endpoint is the way. Nothing in it is secret. */
  readonly entry: AgentEntry;
  /** The variables that the entry's endpoint takes its key from, with the attempt's token. */
  readonly env: Readonly<Record<string, string>>;
  /** For walls without a network: the port that the endpoint names. Where there is none, that is a port of the machine's own loopback. */
  readonly bridges: readonly Bridge[];
}

export interface ModelWayRequest {
  readonly entry: AgentEntry;
  /** Whether programs reach a socket of the host by a bridge alone, on this port of theirs. */
  readonly bridgedPort: number | undefined;
  readonly meter: ModelMeter;
}

/** Whoever opens a way hears what passes by on it. None of these may throw. */
export interface ModelMeter {
  /** Asked before each request goes on that uses something. Resolves late where the request has to wait. */
  admit(upstream: Upstream, signal: AbortSignal): Promise<Admission>;
  /**
   * Asked before each request goes on that uses nothing, such as for a list of models or for how many tokens a text has. An attempt that was
   * taken over gets none of these either (`lost`); budgets, limits and pauses hold none up, since they would save nothing by it.
   */
  admitFree(): Promise<Admission>;
  /** Told while an answer comes, and when it ends, what the call has used by then; a refusal cuts it. */
  used(call: CallSoFar): ModelRefusal | undefined;
  /** Told once of each request that was sent on, or that `used` has refused before it was. */
  ended(call: ModelCall): void;
  /** The upstream wants no requests with that credential until then (milliseconds since the epoch). */
  paused(upstream: Upstream, pause: Pause): void;
  /** No credential of the agent's is left whose quota is not used up, for the model where one is named; the first has it again then. */
  exhausted(upstream: Upstream, until: number): void;
  /** Told what was refused, as a sentence without the secret parts of it. */
  refused(text: string): void;
}

/** Where a request goes, and the name of the credential that goes with it. */
export interface Upstream {
  readonly host: string;
  readonly credential: string | null;
  /** The model that is asked for, where one is. */
  readonly model?: string | undefined;
}

export interface CallSoFar {
  readonly id: string;
  readonly model: string | null;
  readonly tokens: ModelTokens;
  readonly estimated: boolean;
  /** US dollars; null where the price is not known. */
  readonly cost: number | null;
}

export type Admission = { readonly kind: 'admitted' } | { readonly kind: 'refused'; readonly refusal: ModelRefusal };

export interface ModelRefusal {
  /** `lost`: the attempt has no right to anything any more. */
  readonly kind: 'limit' | 'quota' | 'rate-limit' | 'lost';
  readonly message: string;
  /** Of a quota: when it is there again (milliseconds since the epoch). */
  readonly until?: number;
  /** Of a quota: the model, where it is that one's alone. */
  readonly model?: string | undefined;
}

export interface Pause {
  /** `quota`: the account has used up what it has until then. */
  readonly kind: 'rate-limit' | 'quota';
  readonly until: number;
  /** Where it is of this model alone; else of all with the same credential. */
  readonly model?: string | undefined;
}

/** Opens a way; undefined for an agent that it cannot carry, which goes to its model by itself. Rejects with `gateway/…`. */
export type OpenModelWay = (request: ModelWayRequest) => Promise<ModelWay | undefined>;
