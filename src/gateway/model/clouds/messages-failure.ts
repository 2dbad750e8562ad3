import type { CarriedFailure, Carrier } from '../carrier.ts';

/** Types of errors of the Messages protocol, by status: https://platform.claude.com/docs/en/api/errors. */
const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** Of failures that may pass, as clients of the protocol know them: a model that takes too long, and one that has failed. */
const KNOWN: Readonly<Record<number, number>> = { 408: 504, 424: 502 };

/** An error as clients of the Messages protocol know them. */
export function messagesError(status: number, message: string): Readonly<Record<string, unknown>> {
  const known = KNOWN[status] ?? status;
  const type = TYPES[known] ?? (known < 500 ? 'invalid_request_error' : 'api_error');
  return { type: 'error', error: { type, message } };
}

/** A failed answer as they know it. */
export function messagesFailure(
  { status }: CarriedFailure,
  message = `The cloud answered with status ${status}.`,
): ReturnType<Carrier['failure']> {
  return { status: KNOWN[status] ?? status, body: messagesError(status, message) };
}
