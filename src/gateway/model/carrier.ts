import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { ReadFailure } from './upstream-failure-answer.ts';

/**
 * Carries requests of a protocol to an upstream that has a form of its own for them, and its answers back, so that the client knows nothing of it.
 * An upstream that speaks the protocol itself has none.
 */
export interface Carrier {
  /** What is sent on in place of a request; undefined for what the upstream has nothing for. */
  onward(asked: AskedRequest): Onward | undefined;
  /** Reads the upstream's failures. */
  readonly said: ReadFailure;
  /** A failure as the protocol's clients know them. Nothing that was said about an identity is in it. */
  failure(answer: CarriedFailure): { readonly status: number; readonly body: Readonly<Record<string, unknown>> };
  /** What to do, where the upstream says of an identity that it may not do this. */
  advice(answer: CarriedFailure): string | undefined;
  /** The name under which a model's price may be known, of one that the upstream or the client has named. */
  plainName(model: string): string;
}

export interface AskedRequest {
  /** Below the endpoint's base address. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Onward {
  readonly url: URL;
  readonly body: Buffer;
  /** In place of all that the client has sent. */
  readonly headers: Readonly<Record<string, string>>;
  /** An answer with a status of success, for the client; without it, the answer is passed on as it is. Rejects for one that breaks off, or is not what it should be. */
  readonly back?: (answer: IncomingMessage) => Promise<CarriedAnswer>;
}

export type CarriedAnswer =
  | { readonly kind: 'answer'; readonly contentType: string; readonly pieces: AsyncIterable<Uint8Array> }
  /** It began with a failure after all. */
  | ({ readonly kind: 'failed' } & CarriedFailure);

export interface CarriedFailure {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
