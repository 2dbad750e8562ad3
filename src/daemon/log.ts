import { pino } from 'pino';

/** What the daemon says of itself, one JSON object a line. A run's own story is in its journal. */
export interface Log {
  info(text: string, facts?: object): void;
  warn(text: string, error?: unknown): void;
  error(text: string, error?: unknown): void;
}

/** Writes to standard error, at once: the last line before a death is the one that is wanted. */
export function openLog(): Log {
  const logger = pino(
    { base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
  return {
    info: (text, facts) => logger.info(facts ?? {}, text),
    warn: (text, error) => logger.warn({ err: error }, text),
    error: (text, error) => logger.error({ err: error }, text),
  };
}
