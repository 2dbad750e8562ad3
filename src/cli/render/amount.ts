import type { Usage } from '../../domain/run.ts';

/** Amounts for a glance; the exact ones are in `--json`. */

/** `0.4s`, `12s`, `2m 05s`, `1h 02m`. */
export function shortDuration(ms: number): string {
  if (ms < 9950) return `${(Math.max(0, ms) / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${two(seconds % 60)}s`;
  return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
}

/** For what ticks: `0s`, `59s`, `2m 05s`, `1h 02m`. */
export function wholeSeconds(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  return seconds < 10 ? `${seconds}s` : shortDuration(seconds * 1000);
}

/** `950`, `12.3k`, `4.5M`. */
export function shortCount(count: number): string {
  if (count < 1000) return String(Math.round(count));
  if (count < 999_950) return `${trimmed(count / 1000)}k`;
  return `${trimmed(count / 1_000_000)}M`;
}

/** `12.3k tokens · 0.42 USD`, or `price unknown` where nobody says what the tokens cost; empty when nothing was reported. */
export function shortUsage(usage: Usage): string {
  const tokens = usage.input + usage.output;
  const price = usage.cost === null ? (tokens > 0 ? 'price unknown' : '') : shortMoney(usage.cost);
  return [tokens > 0 ? `${shortCount(tokens)} tokens` : '', price].filter((part) => part !== '').join(' · ');
}

/** `0.42 USD`; what is less than a cent is not nothing. */
export function shortMoney(dollars: number): string {
  return dollars > 0 && dollars < 0.005 ? '<0.01 USD' : `${dollars.toFixed(2)} USD`;
}

/** `just now`, `5m ago`, `3h ago`, `2d ago`. */
export function ago(then: number, now: number): string {
  const minutes = Math.floor(Math.max(0, now - then) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes}m ago`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)}h ago`;
  return `${Math.floor(minutes / (24 * 60))}d ago`;
}

const HOUR_MS = 60 * 60_000;

/** A moment that is still to come, in UTC: `11:40:25 UTC` within the hour, `18:40 UTC` within a day, else `2026-11-29 18:40 UTC`. */
export function shortMoment(iso: string, now: number): string {
  const left = Date.parse(iso) - now;
  if (left < HOUR_MS) return `${iso.slice(11, 19)} UTC`;
  return `${left < 24 * HOUR_MS ? iso.slice(11, 16) : iso.slice(0, 16).replace('T', ' ')} UTC`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function trimmed(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '');
}
