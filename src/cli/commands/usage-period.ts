import { Duration } from '../../domain/units.ts';
import { usageError } from '../usage-error.ts';

const DATE = /^\d{4}-\d{2}-\d{2}$/;

/**
 * A moment as a person writes it: how long ago (`7d`, `12h`), a date, which begins at midnight UTC, or a date with a time of day in UTC.
 * As ISO 8601 in UTC; undefined where nothing is written.
 */
export function readMoment(option: string, text: string | undefined, now: number): string | undefined {
  if (text === undefined) return undefined;
  const ago = Duration.safeDecode(text);
  const at = ago.success
    ? now - ago.data
    : DATE.test(text) || DATE_AND_TIME.test(text)
      ? Date.parse(iso(text))
      : Number.NaN;
  if (Number.isFinite(at) && at > 0) return new Date(at).toISOString();
  throw usageError(
    `${option} ${JSON.stringify(text)} is no moment.`,
    'Write how long ago, as 7d or 12h, or a date, as 2026-11-27 or 2026-11-27T18:00, in UTC.',
  );
}

const DATE_AND_TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?$/;

function iso(text: string): string {
  const whole = text.replace(' ', 'T');
  return DATE.test(whole) || whole.endsWith('Z') ? whole : `${whole}Z`;
}
