import type { IncomingHttpHeaders } from 'node:http';

/** A header's value, where there is one. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** Milliseconds that `retry-after-ms` or `retry-after` (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after) asks to wait. */
export function retryAfter(headers: IncomingHttpHeaders, now: number): number | undefined {
  const ms = numberIn(header(headers, 'retry-after-ms'));
  if (ms !== undefined) return ms;
  const value = header(headers, 'retry-after');
  const seconds = numberIn(value);
  if (seconds !== undefined) return seconds * 1000;
  const date = value?.endsWith(' GMT') ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Milliseconds of `6m0s`, `1h2m`, `20.04s`, `100ms`, `20 seconds`, or of a number of seconds. */
export function durationIn(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value * 1000 : undefined;
  if (typeof value !== 'string') return undefined;
  const plain = numberIn(value.trim());
  if (plain !== undefined) return plain * 1000;
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?) ?(ms|[dhms])/g)];
  if (parts.length === 0) return undefined;
  return Math.round(parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ''] ?? 0), 0));
}

/** The wait that a sentence for people asks for: `Please try again in 6m0s.`, `retry after 20 seconds`. */
export function waitInText(value: string | undefined): number | undefined {
  return durationIn(ASKED.exec(value ?? '')?.[1]?.toLowerCase());
}

const ASKED =
  /(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)? ?(?:ms|(?:second|minute|hour|day)s?|[dhms])(?![a-z]) ?)+)/i;

/** Milliseconds since the epoch of a moment that is written in seconds since then, or as https://www.rfc-editor.org/rfc/rfc3339 has it. */
export function momentIn(value: unknown): number | undefined {
  const seconds = typeof value === 'number' ? value : typeof value === 'string' ? numberIn(value) : undefined;
  if (seconds !== undefined) return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
  const date = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : date;
}

/** The largest of those that there are. */
export function latest(...values: readonly (number | undefined)[]): number | undefined {
  const there = values.filter((value) => value !== undefined);
  return there.length === 0 ? undefined : Math.max(...there);
}

function numberIn(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
