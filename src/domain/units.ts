import { z } from 'zod';

/**
 * How amounts are written in files and flags, as codecs: decoding gives the number that the code works with, encoding gives
 * the text back. Every amount is positive; a limit of nothing is a mistake, not a limit.
 */

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type TimeUnit = keyof typeof MILLISECONDS;
const UNITS_LONGEST_FIRST: readonly TimeUnit[] = ['d', 'h', 'm', 's', 'ms'];

/** `90s`, `15m`, `2h`, `1h30m` ⇄ milliseconds. */
export const Duration = z.codec(
  z
    .string()
    .regex(/^(\d+(\.\d+)?(ms|s|m|h|d))+$/, 'write a duration as 90s, 15m or 2h')
    .describe('A duration: 90s, 15m, 2h, 1h30m'),
  z.int().positive(),
  {
    decode: (text, context) => {
      const milliseconds = Array.from(text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)).reduce(
        (sum, [, amount, unit]) => sum + Number(amount) * MILLISECONDS[unit as TimeUnit],
        0,
      );
      return usable(Math.round(milliseconds), text, context);
    },
    encode: (milliseconds) => formatDuration(milliseconds),
  },
);

/** `5 USD` ⇄ 5. Prices of models are known in US dollars only, so no other currency could be held to. */
export const Dollars = z.codec(
  z
    .string()
    .regex(/^\d+(\.\d+)? ?USD$/, 'write an amount of money as 5 USD')
    .describe('An amount of money: 5 USD, 0.50 USD')
    .meta({ examples: ['5 USD'] }),
  z.number().positive(),
  {
    decode: (text, context) => usable(Number.parseFloat(text), text, context),
    encode: (dollars) => formatDollars(dollars),
  },
);

const THOUSANDS = { k: 1000, M: 1_000_000, G: 1_000_000_000 } as const;

/** `60`, `500k`, `1.5M` ⇄ a whole number. */
export const Count = z.codec(
  z.union([
    z.int().positive(),
    z
      .string()
      .regex(/^\d+(\.\d+)?[kMG]?$/, 'write a number as 60, 500k or 3M')
      .describe('A number: 60, 500k, 3M'),
  ]),
  z.int().positive(),
  {
    decode: (written, context) => {
      if (typeof written === 'number') return written;
      const factor = THOUSANDS[written.slice(-1) as keyof typeof THOUSANDS] ?? 1;
      return usable(Math.round(Number.parseFloat(written) * factor), written, context);
    },
    encode: (count) => formatCount(count),
  },
);

/** Exact, in the largest units that fit: 7200000 is `2h`, 5400000 is `1h30m`. */
export function formatDuration(milliseconds: number): string {
  let left = Math.round(milliseconds);
  let text = '';
  for (const unit of UNITS_LONGEST_FIRST) {
    const amount = Math.floor(left / MILLISECONDS[unit]);
    if (amount > 0) text += `${amount}${unit}`;
    left -= amount * MILLISECONDS[unit];
  }
  return text === '' ? '0s' : text;
}

/** `5 USD`, `0.50 USD`, `0.0042 USD`: whole amounts without cents, others with at least two digits. */
export function formatDollars(dollars: number): string {
  if (Number.isInteger(dollars)) return `${dollars} USD`;
  const cents = dollars.toFixed(2);
  return `${Number(cents) === dollars ? cents : plainDecimal(dollars)} USD`;
}

/** `500k`, `3M`, `1500k` is `1.5M`, `1234` stays `1234`: short only where that is exact. */
export function formatCount(count: number): string {
  for (const [letter, factor] of Object.entries(THOUSANDS).reverse()) {
    if (count >= factor && Number.isInteger((count / factor) * 10)) return `${count / factor}${letter}`;
  }
  return String(count);
}

/** A number without an exponent, as the pattern of `Dollars` wants it. */
function plainDecimal(value: number): string {
  const text = String(value);
  return text.includes('e') ? value.toFixed(12).replace(/0+$/, '') : text;
}

function usable(amount: number, written: string, context: z.core.ParsePayload): number {
  if (amount > 0 && amount <= Number.MAX_SAFE_INTEGER) return amount;
  const message = amount > 0 ? `${written} is too large` : `${written} must be more than nothing`;
  context.issues.push({ code: 'custom', message, input: written });
  return z.NEVER;
}

const BYTES = { kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 } as const;
type ByteUnit = keyof typeof BYTES;
const BYTE_UNITS_LARGEST_FIRST: readonly ByteUnit[] = ['TB', 'GB', 'MB', 'kB'];

/** `512MB`, `4GB`, `1.5 GB` ⇄ bytes, counted in powers of 1024. */
export const Bytes = z.codec(
  z
    .string()
    .regex(/^\d+(\.\d+)? ?(kB|MB|GB|TB)$/, 'write a size as 512MB or 4GB')
    .describe('A size: 512MB, 4GB'),
  z.int().positive(),
  {
    decode: (text, context) => {
      const unit = text.slice(-2) as ByteUnit;
      return usable(Math.round(Number.parseFloat(text) * BYTES[unit]), text, context);
    },
    encode: (bytes) => formatBytes(bytes),
  },
);

/** In the largest unit of which there is at least one, with at most two decimals. */
export function formatBytes(bytes: number): string {
  const unit = BYTE_UNITS_LARGEST_FIRST.find((one) => bytes >= BYTES[one]) ?? 'kB';
  return `${Number((bytes / BYTES[unit]).toFixed(2))}${unit}`;
}
