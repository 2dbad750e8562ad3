/** The connection broke in the middle of a transaction; whether it was committed is not known. */
export class ConnectionLost extends Error {
  constructor(cause: unknown) {
    super('the connection to the database was lost', { cause });
    this.name = 'ConnectionLost';
  }
}

/** Of the socket, and of PostgreSQL: going down, gone down, coming up, no place left, idle for too long. */
const CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '25P03',
  '53300',
]);

/** node-postgres has no codes for these. */
const MESSAGES =
  /^Connection terminated|^timeout exceeded when trying to connect|^Client has encountered a connection error/;

/** Whether the database went away, as opposed to having refused something. */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof ConnectionLost) return true;
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  // A socket that is not there; not any file.
  if (code === 'ENOENT') return 'syscall' in error && error.syscall === 'connect';
  return CODES.has(code) || code.startsWith('08') || MESSAGES.test(error.message);
}

/** Whether PostgreSQL undid the transaction for the sake of another one, and asks for it again: deadlock, serialization. */
export function isSentBack(error: unknown): boolean {
  return error instanceof Error && (codeOf(error) === '40P01' || codeOf(error) === '40001');
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
