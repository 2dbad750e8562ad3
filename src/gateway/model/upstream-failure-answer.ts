import type { IncomingHttpHeaders } from 'node:http';

/** A failed answer's head, and its body as far as it has been read. */
export interface FailedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What a provider says in a way of its own; of what is not there it does not speak. */
export interface Said {
  readonly kind?: 'quota' | 'auth' | 'overloaded' | undefined;
  /** Milliseconds since the epoch. */
  readonly resetAt?: number | undefined;
  readonly waitMs?: number | undefined;
  /** Whether it is about the model that was asked for, and others may be used meanwhile. */
  readonly isOfModel?: boolean | undefined;
}

/** Reads one provider's answer, whose body, where it is JSON, is `body`. */
export type ReadFailure = (answer: FailedAnswer, body: unknown) => Said;
