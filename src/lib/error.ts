/**
 * The one thrown error of Switchyard: a failure that the caller did not ask about. Outcomes that are expected are values.
 * Nothing matches on `message`; `code` is what programs read, `hint` is what a person should do next.
 */
export class SwitchyardError extends Error {
  /** `subject/condition`, for instance `repository/not-git`. */
  readonly code: string;
  /** One sentence that says what to do. */
  readonly hint: string;
  readonly retry: Retry;

  constructor(facts: { code: string; message: string; hint: string; retry?: Retry; cause?: unknown }) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'SwitchyardError';
    this.code = facts.code;
    this.hint = facts.hint;
    this.retry = facts.retry ?? 'never';
  }
}

/** Whether doing the same again can help: never, after a wait, or at once. */
export type Retry = 'never' | 'backoff' | 'now';

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
