import { pino } from 'pino';
import type { Redact } from '../lib/redact.ts';

/** What the daemon says of itself, one JSON object a line. A run's own story is in its journal. */
export interface Log {
  info(text: string, facts?: object): void;
  warn(text: string, error?: unknown): void;
  error(text: string, error?: unknown): void;
}

/** Writes to standard error, at once and without secrets: the last line before a death is the one that is wanted. */
export function openLog(redact: Redact): Log {
  const out = pino.destination({ fd: 2, sync: true });
  const logger = pino(
    { base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    { write: (line) => out.write(redact(line)) },
  );
  return {
    info: (text, facts) => logger.info(facts ?? {}, text),
    warn: (text, error) => logger.warn({ err: error }, text),
    error: (text, error) => logger.error({ err: error }, text),
  };
}
